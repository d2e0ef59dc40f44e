// SPDX-License-Identifier: Apache-2.0
// The built agent explains real containers that the real hook held: on the terminal, over gRPC and TCP, and on the
// inspector's interface.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Explanation } from "@rthooks/explain";
import { parse } from "yaml";
import { type Agent, startAgent } from "../harness/agent.ts";
import { callPolicies, explainContainer } from "../harness/agent-client.ts";
import { type Bundle, createBundle, firstActScript } from "../harness/bundle.ts";
import { readCgroupId } from "../harness/cgroup.ts";
import { waitForFirstAct } from "../harness/first-act.ts";
import { containerdAnnotations } from "../harness/hook.ts";
import { runProcess } from "../harness/process.ts";
import { findAgent, findHook } from "../harness/programs.ts";
import { createRunc, type Runc } from "../harness/runc.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("explain");
/** As the hook is installed, its log is in a directory of its own. */
const hookLog = join(workspace.path("hook"), "tetragon-oci-hook.log");
const pod = { uid: "5bd4fa3b-0d8a-4b3a-9d9f-2f1f0e6a7c11", namespace: "shop", name: "web-0" };
let runc: Runc;
let agent: Agent;
let running: { readonly bundle: Bundle };
let inspectorUrl: string;
let tcpAddress: string;

const policy = (name: string, spec: object, namespace?: string): object => ({
  apiVersion: "cilium.io/v1alpha1",
  kind: namespace === undefined ? "TracingPolicy" : "TracingPolicyNamespaced",
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  spec,
});
const pods = (key: string, operator: string, ...values: readonly string[]) => ({
  podSelector: { matchExpressions: [{ key, operator, ...(values.length === 0 ? {} : { values }) }] },
});
const containers = (key: string, ...values: readonly string[]) => ({
  containerSelector: { matchExpressions: [{ key, operator: "In", values }] },
});
const workloads = (app: string) => ({ matchWorkloads: { podSelector: { matchLabels: { app } } } });

/** What the container of the pod with the label app=web, named `held`, says of each policy. */
const rows: readonly (readonly [name: string, spec: object, why: string | undefined, namespace?: string])[] =
  [
    ["everything", {}, undefined],
    ["label", { podSelector: { matchLabels: { app: "web" } } }, undefined],
    ["label-no", { podSelector: { matchLabels: { app: "db" } } }, "pod label app is db: app=web"],
    ["in-no", pods("app", "In", "db", "cache"), "pod label app in (db, cache): app=web"],
    ["not-in-no", pods("app", "NotIn", "web"), "pod label app not in (web): app=web"],
    ["exists-no", pods("zone", "Exists"), "the pod has the label zone: the pod has no label zone"],
    ["absent-no", pods("app", "DoesNotExist"), "the pod has no label app: app=web"],
    ["namespace-no", {}, "namespace is bank: shop", "bank"],
    ["name-no", containers("name", "sidecar"), "container name in (sidecar): held"],
    ["repo-no", containers("repo", "nginx"), "image repository in (nginx): docker.io/library/busybox"],
    ["host-no", { hostSelector: {} }, "a process outside of all pods: a container of a pod"],
    ["disabled-no", {}, "the policy is enabled: it is disabled"],
    [
      "workloads-no",
      { kprobes: [{ call: "sys_acct", syscall: true, selectors: [workloads("db")] }] },
      "kprobes[0].selectors[0].matchWorkloads: pod label app is db: app=web",
    ],
  ];

function create(
  name: string,
  { namespace = pod.namespace, address = agent.address, timeout = "60s" } = {},
): Bundle {
  return createBundle(workspace, {
    id: `${name}-${workspace.tag}`,
    cgroupsPath: `${runc.cgroupParent}/pod${pod.uid}/${name}`,
    annotations: containerdAnnotations({ ...pod, namespace, container: name }),
    script: `${firstActScript}; while [ ! -e /out/end ]; do sleep 0.02; done`,
    hooks: {
      createRuntime: [
        {
          path: findHook(),
          args: [
            ...["tetragon-oci-hook", "createRuntime", "--grpc-address", address, "--grpc-timeout", timeout],
            ...["--log-fname", hookLog, "--log-level", "debug"],
          ],
        },
      ],
    },
  });
}

const explain = (...args: readonly string[]) =>
  runProcess([findAgent(), "explain", "--server-address", agent.address, ...args]);

async function explainAll(what: string): Promise<readonly Explanation[]> {
  const { stdout, stderr, exitCode } = await explain(what, "-o", "json");
  expect([stderr, exitCode]).toEqual(["", 0]);
  return JSON.parse(stdout).explanations;
}

async function explainOne(what: string): Promise<Explanation> {
  const [one, ...others] = await explainAll(what);
  if (one === undefined || others.length > 0) throw new Error(`${others.length} others`);
  return one;
}

/** The hook writes its line when it ends, and the agent reads it then. */
const waitForHook = (what: string): Promise<Explanation> =>
  waitFor(`the hook's line about ${what}`, async () => {
    const { stdout } = await explain(what, "-o", "json");
    const [one]: readonly Explanation[] = stdout === "" ? [] : JSON.parse(stdout).explanations;
    return one?.hold?.phases.some(({ where }) => where === "hook") === true ? one : undefined;
  });

beforeAll(async () => {
  runc = createRunc(workspace);
  const podsFile = workspace.path("pods.json");
  const metadata = { uid: pod.uid, namespace: pod.namespace, name: pod.name, labels: { app: "web" } };
  const item = { apiVersion: "v1", kind: "Pod", metadata };
  writeFileSync(podsFile, JSON.stringify({ apiVersion: "v1", kind: "List", items: [item] }));
  mkdirSync(workspace.path("hook"));
  const policyDir = workspace.path("tp.d");
  mkdirSync(policyDir);
  for (const [name, spec, , namespace] of rows)
    writeFileSync(join(policyDir, `${name}.json`), JSON.stringify(policy(name, spec, namespace)));
  writeFileSync(join(policyDir, "broken.json"), JSON.stringify(policy("broken-no", { kprobes: [{}] })));
  agent = await startAgent(workspace, {
    podsFile,
    flags: [
      ...["--server-address", "127.0.0.1:0", "--tracing-policy-dir", policyDir, "--sweep-interval", "200ms"],
      ...["--inspect-address", "127.0.0.1:0", "--hook-log", hookLog],
    ],
  });
  const findAddress = (message: string, pattern: RegExp): Promise<string> =>
    waitFor(message, () => {
      const lines = agent.process.stderr().split("\n");
      return lines.flatMap((line) => (line.includes(message) ? (pattern.exec(line)?.[1] ?? []) : []))[0];
    });
  inspectorUrl = `http://${await findAddress("inspector listens", /"address":"([^"]+)"/)}`;
  tcpAddress = await findAddress('"listening"', /"address":"(127[^"]+)"/);
  const client = callPolicies(agent.address);
  await waitFor("the policies are loaded", async () => (await client.list()).policies.length > rows.length);
  await client.configure({ name: "disabled-no", domain: "static", enable: false });
  const bundle = create("held");
  const process = runc.start(bundle);
  await waitForFirstAct(process, bundle.outDir);
  running = { bundle };
  await waitForHook("shop/web-0/held");
}, 120_000);
afterAll(() => workspace.close(), 60_000);

const listPolicies = ({ policies }: Explanation) =>
  Object.fromEntries(
    policies.map(({ name, selects, failing }) => [
      name,
      selects ? undefined : `${failing?.term}: ${failing?.found}`,
    ]),
  );

describe("a container that the hook held", () => {
  test("says who reported each part of it, and when", async () => {
    const { bundle } = running;
    const { outcome, state, identity, firstReportMs, failure } = await explainOne("shop/web-0/held");
    expect([outcome, state, failure]).toEqual(["running", "released", undefined]);
    const parts = Object.fromEntries(identity.map(({ part, value, source }) => [part, [value, source]]));
    expect(parts).toEqual({
      namespace: ["shop", "pod-source"],
      pod: ["web-0", "pod-source"],
      "pod UID": [pod.uid, "hook"],
      labels: ["app=web", "pod-source"],
      container: ["held", "hook"],
      image: ["docker.io/library/busybox:latest", "hook"],
      cgroup: [expect.stringMatching(/\/held$/), "hook"],
      "cgroup id": [`${readCgroupId(bundle.cgroupsPath)}`, "kernel"],
    });
    for (const { reportedMs } of identity) {
      expect(reportedMs).toBeNumber();
      expect(Math.abs((reportedMs ?? 0) - firstReportMs)).toBeLessThan(120_000);
    }
  });

  test("says how long the runtime was held, and where the hook's and the agent's time went", async () => {
    const { hold } = await explainOne("shop/web-0/held");
    const { by, startedMs: beganMs = 0, durationMs = 0, phases = [] } = hold ?? {};
    expect(by).toBe("hook");
    const own = phases.filter(({ where }) => where !== "hook");
    expect(own.map(({ where, what }) => `${where}: ${what}`)).toEqual([
      "agent: check the request",
      "agent: find the cgroup",
      "kernel map: write the filter maps",
      "agent: answer",
    ]);
    const hooks = phases.filter(({ where }) => where === "hook").map(({ what }) => what);
    expect(hooks).toEqual(expect.arrayContaining(["read the spec", "connect to the agent"]));
    // The agent's phases follow each other, within those of the hook. Both read one clock, each with an error below 2 ms.
    let until = own[0]?.startedMs ?? 0;
    for (const phase of own) {
      expect(Math.abs(phase.startedMs - until)).toBeLessThan(0.01);
      expect(phase.durationMs).toBeGreaterThanOrEqual(0);
      until = phase.startedMs + phase.durationMs;
    }
    expect(own[0]?.startedMs).toBeGreaterThan(beganMs - 5);
    expect(until).toBeLessThan(beganMs + durationMs + 5);
    expect(phases).toEqual([...phases].toSorted((one, other) => one.startedMs - other.startedMs));
  });

  test("says which policies select it, and of each other one the first term that it does not meet", async () => {
    const explanation = await explainOne("shop/web-0/held");
    const { "broken.json": _, ...found } = listPolicies(explanation);
    const broken = explanation.policies.find(({ state }) => state === "load_error");
    expect(broken).toMatchObject({ selects: false, failing: { term: "the policy is loaded" } });
    expect(broken?.failing?.found).toContain("kprobes");
    const { [broken?.name ?? ""]: __, ...others } = found;
    expect(others).toEqual(Object.fromEntries(rows.map(([name, , why]) => [name, why])));
    expect(explanation.policies.find(({ name }) => name === "workloads-no")?.selectors).toEqual([
      {
        selector: "kprobes[0].selectors[0]",
        failing: { term: "pod label app is db", found: "app=web" },
      },
    ]);
  });

  test("is the same on the terminal, as YAML, over gRPC, on TCP and on the inspector", async () => {
    const { id } = running.bundle;
    const explanation = await explainOne(id.slice(0, 6));
    expect(explanation.containerId).toBe(id);
    const { containerId } = explanation;
    const yaml = await explain(containerId, "-o", "yaml");
    expect(parse(yaml.stdout)).toEqual({ explanations: [explanation] });
    for (const address of [agent.address, tcpAddress]) {
      const { explanations } = await explainContainer(address, { $case: "id", id: containerId });
      expect(JSON.parse(JSON.stringify(explanations, countsAsNumbers))).toEqual([explanation]);
    }
    const answer = await fetch(`${inspectorUrl}/api/explain?container=${containerId}`);
    expect(await answer.json()).toEqual(explanation);
    const text = (await explain(containerId)).stdout;
    for (const part of [
      /^shop\/web-0\/held {2}running$/m,
      /^ {2}pod UID +5bd4fa3b-0d8a-4b3a-9d9f-2f1f0e6a7c11 +hook +20\d\d-/m,
      /^Hold: \d+(\.\d\d)? ms by the OCI hook, from 20/m,
      /^ {2}\d+(\.\d\d)? ms +\d+(\.\d\d)? ms +kernel map +write the filter maps$/m,
      /^ {2}in-no +\(global\) +static +\S+ +no +pod label app in \(db, cache\) +app=web$/m,
      /^ {2}label +\(global\) +static +\S+ +yes +- +-$/m,
    ])
      expect(text).toMatch(part);
  });
});

test("a refused container says why in plain words, and what to do", async () => {
  const bundle = create("elsewhere", { namespace: "bank" });
  expect((await runc.run(bundle)).exitCode).not.toBe(0);
  const explanation = await waitForHook("bank/web-0/elsewhere");
  expect(explanation).toMatchObject({
    ...{ outcome: "denied", hold: { by: "hook" } },
    failure: {
      kind: "namespace-conflict",
      what: "The request names another namespace than the pod is in.",
      message: 'the pod is in namespace "shop", not in "bank"',
    },
  });
  const text = (await explain("bank/web-0")).stdout;
  expect(text).toStartWith("bank/web-0/elsewhere  denied\n");
  expect(text).toContain(`  ${explanation.failure?.next}\n`);
});

test("a container that was denied without an agent is explained from the hook's log", async () => {
  const bundle = create("alone", { address: "unix:///nowhere/agent.sock", timeout: "300ms" });
  expect((await runc.run(bundle)).exitCode).not.toBe(0);
  const explanation = await waitForHook("shop/web-0/alone");
  expect(explanation).toMatchObject({
    ...{ state: "", outcome: "denied", hold: { by: "hook" } },
    failure: { kind: "deadline", message: expect.stringContaining("unix:///nowhere/agent.sock") },
  });
  expect(explanation.hold?.durationMs).toBeGreaterThan(300);
  const parts = explanation.identity.map(({ part, value, source }) => [part, value && source]);
  expect(parts).toEqual(
    expect.arrayContaining([
      ["pod UID", "hook"],
      ["labels", ""],
      ["cgroup id", ""],
    ]),
  );
  // Without the pod's labels no policy for labels can say that it selects the pod.
  expect(listPolicies(explanation)["label"]).toContain("as far as its labels are known");
});

test("a container that has ended is still explained", async () => {
  const bundle = create("short");
  const process = runc.start(bundle);
  await waitForFirstAct(process, bundle.outDir);
  writeFileSync(join(bundle.outDir, "end"), "");
  await process.exited;
  await waitFor("the container is gone", async () => {
    const [one] = await explainAll("shop/web-0/short");
    return one?.outcome === "ended";
  });
  const { endedMs, hold, identity } = await explainOne("shop/web-0/short");
  expect(endedMs).toBeGreaterThan(hold?.startedMs ?? Number.POSITIVE_INFINITY);
  expect(identity.find(({ part }) => part === "cgroup id")?.value).toMatch(/^\d+$/);
  // Without a container's name: all containers of the pod.
  const all = await explain("shop/web-0", "-o", "json");
  const names = JSON.parse(all.stdout).explanations.map(
    (one: Explanation) => one.identity.find(({ part }) => part === "container")?.value,
  );
  expect(names.toSorted()).toEqual(["alone", "held", "short"]);
});

test.each([
  { args: [], says: "name a container: NAMESPACE/POD" },
  { args: ["abc"], says: "at least 4 characters" },
  { args: ["shop/"], says: "names no container" },
  { args: ["shop/web-0", "more"], says: 'unexpected argument "more"' },
  { args: ["ffffffff"], says: 'no container has an id that begins with "ffffffff"' },
  { args: ["shop/web"], says: 'no container of "shop/web" is on record; there is shop/web-0' },
  { args: ["ops/web-0"], says: "there is shop/web-0" },
  { args: ["shop/web-0/hold"], says: "there is shop/web-0/held" },
])("explain $args is one line on standard error and exit code 1", async ({ args, says }) => {
  const { stdout, stderr, exitCode } = await explain(...args);
  expect([stdout, exitCode]).toEqual(["", 1]);
  expect(stderr).toContain(says);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
});

/** Counts of 64 bits are numbers in the output of the program. */
function countsAsNumbers(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}
