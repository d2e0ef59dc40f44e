// SPDX-License-Identifier: Apache-2.0
// Policies of the built agent: from files and from calls, with their filters in the kernel's maps, and real containers in
// them before their first instruction.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TracingPolicyMode, TracingPolicyState } from "@rthooks/proto";
import { callPolicies } from "../harness/agent-client.ts";
import { type AgentControl, createAgentControl } from "../harness/agent-control.ts";
import { dumpPolicyFilter, mountBpfFs } from "../harness/bpf-fs.ts";
import { type Bundle, createBundle, firstActScript } from "../harness/bundle.ts";
import { readCgroupId } from "../harness/cgroup.ts";
import { waitForFirstAct } from "../harness/first-act.ts";
import { createGate } from "../harness/gate.ts";
import { runProcess } from "../harness/process.ts";
import { findAgent, findHook } from "../harness/programs.ts";
import { createRunc, type Runc } from "../harness/runc.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("pol");
const policyDir = workspace.path("tp.d");
let runc: Runc;
let control: AgentControl;
let maps: string;

beforeAll(async () => {
  mkdirSync(policyDir);
  runc = createRunc(workspace);
  maps = join(mountBpfFs(workspace), "tetragon");
  control = createAgentControl(workspace, [
    ...["--enable-policy-filter", "--bpf-dir", maps, "--tracing-policy-dir", policyDir],
    ...["--sweep-interval", "100ms"],
  ]);
  await control.start();
}, 60_000);
afterAll(() => workspace.close(), 60_000);

const yaml = (name: string, app: string): string => `
apiVersion: cilium.io/v1alpha1
kind: TracingPolicy
metadata:
  name: ${name}
spec:
  podSelector:
    matchLabels:
      app: ${app}
  kprobes:
  - call: sys_acct
    selectors:
    - matchActions:
      - action: Sigkill
`;

const client = () => callPolicies(`unix://${control.socketPath}`);
const list = async () => (await client().list()).policies;
const find = async (name: string) => (await list()).find((policy) => policy.name === name);
const members = async (name: string): Promise<ReadonlySet<bigint>> =>
  dumpPolicyFilter(maps).get(Number((await find(name))?.filterId)) ?? new Set();

/** The kernel has them some time after the list. */
const waitForMembers = (name: string, ids: readonly bigint[]) =>
  waitFor(`the containers of ${name}`, async () => Bun.deepEquals(await members(name), new Set(ids)), 30_000);

const allPods = 1;
let count = 0;
function create(app: string, address = `unix://${control.socketPath}`): Bundle {
  const name = `c${++count}`;
  const pod = {
    uid: `00000000-0000-4000-8000-00000000000${count}`,
    name,
    namespace: "shop",
    labels: { app },
  };
  return createBundle(workspace, {
    id: `${name}-${workspace.tag}`,
    cgroupsPath: `${runc.cgroupParent}/pod${pod.uid}/${name}`,
    script: `${firstActScript}; while [ ! -e /out/end ]; do sleep 0.02; done`,
    hooks: {
      createRuntime: [
        {
          path: findHook(),
          args: [
            ...["tetragon-oci-hook", "createRuntime", "--grpc-address", address],
            ...["--log-fname", workspace.path(`${name}.log`)],
          ],
          // As the NRI plugin hands it over.
          env: [`RTHOOKS_POD=${JSON.stringify(pod)}`],
        },
      ],
    },
  });
}

async function run(app: string) {
  const bundle = create(app);
  const running = runc.start(bundle);
  const id = readCgroupId((await waitForFirstAct(running, bundle.outDir)).cgroupPath);
  const end = async () => {
    writeFileSync(join(bundle.outDir, "end"), "");
    await running.exited;
    await waitFor("the agent sees its end", () => dumpPolicyFilter(maps).get(allPods)?.has(id) === false);
  };
  return { id, end };
}

describe("a policy that is added by a call", () => {
  test("is in the maps with the containers that it is about, before they start", async () => {
    const early = await run("web");
    await client().add(yaml("calls", "web"));
    expect(await find("calls")).toMatchObject({
      domain: "grpc",
      state: TracingPolicyState.TP_STATE_ENABLED,
      mode: TracingPolicyMode.TP_MODE_ENFORCE,
      error: "",
    });
    expect(await members("calls")).toEqual(new Set([early.id]));
    const gate = await createGate(workspace, control.socketPath);
    const held = create("web", gate.address);
    const running = runc.start(held);
    await waitFor("the answer waits at the gate", () => gate.heldBytes() > 0);
    const before = await members("calls");
    gate.open();
    const first = await waitForFirstAct(running, held.outDir);
    expect(before).toEqual(new Set([early.id, readCgroupId(first.cgroupPath)]));
    const other = await run("db");
    expect((await members("calls")).has(other.id)).toBe(false);
    writeFileSync(join(held.outDir, "end"), "");
    await running.exited;
    await waitFor("its end is seen", async () => (await members("calls")).size === 1);
    await early.end();
    await other.end();
    await client().delete("calls");
    expect(await find("calls")).toBeUndefined();
    expect([...dumpPolicyFilter(maps).keys()]).toEqual([1]);
  }, 60_000);

  test("is configured, and listed by domain", async () => {
    await client().add(yaml("tuned", "web"), "own");
    await client().configure({
      name: "tuned",
      domain: "own",
      enable: false,
      mode: TracingPolicyMode.TP_MODE_MONITOR,
    });
    expect(await find("tuned")).toMatchObject({
      state: TracingPolicyState.TP_STATE_DISABLED,
      mode: TracingPolicyMode.TP_MODE_MONITOR,
      enabled: false,
    });
    expect((await client().list("grpc")).policies).toEqual([]);
    expect((await client().domains()).domains).toEqual(["grpc", "k8s", "own"]);
    const { stdout } = await runProcess([
      findAgent(),
      "policies",
      "--server-address",
      `unix://${control.socketPath}`,
    ]);
    expect(stdout).toMatch(
      /^ID +NAME +NAMESPACE +DOMAIN +STATE +MODE +FILTERID +HELD BY +MATCHES +ENFORCED +WITHHELD +ERROR\n\d+ +tuned +\(global\) +own +disabled +monitor +\d+ +- +- +- +- +-\n$/,
    );
    await client().delete("tuned", "own");
  });

  test("that is wrong is refused with every place", async () => {
    const wrong = yaml("wrong", "web").replace("sys_acct", '""').replace("Sigkill", "Kill");
    const failure: unknown = await client()
      .add(wrong)
      .catch((error) => error);
    expect(String(failure)).toContain("spec.kprobes[0].call: must not be empty");
    expect(String(failure)).toContain("spec.kprobes[0].selectors[0].matchActions[0].action");
    for (const text of ["", "a: [", "---\na: 1\n---\nb: 2\n", "x".repeat(2 * 1024 * 1024)]) {
      expect(
        await client()
          .add(text)
          .catch(() => "refused"),
      ).toBe("refused");
    }
    expect(await list()).toEqual([]);
  });
});

test("a key that stands twice is named with its path", async () => {
  const twice = yaml("twice", "web").replace("  kprobes:", "  podSelector: {}\n  kprobes:");
  const failure: unknown = await client()
    .add(twice)
    .catch((error) => error);
  expect(String(failure)).toContain("spec.podSelector: duplicate key (line 10, column 3)");
});

describe("policies from files", () => {
  const file = join(policyDir, "web.yaml");
  /** As an editor does: whole, under another name first. */
  const put = (path: string, text: string): void => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };

  test("come, change and go with their files", async () => {
    const web = await run("web");
    const db = await run("db");
    put(file, yaml("from-file", "web"));
    await waitFor("the policy", async () => (await find("from-file"))?.domain === "static");
    await waitForMembers("from-file", [web.id]);
    put(file, yaml("from-file", "db"));
    await waitForMembers("from-file", [db.id]);
    put(file, "kind: Nothing\n");
    put(join(policyDir, "second.yaml"), yaml("second", "web"));
    await waitFor("another file", () => find("second"));
    // What cannot be used changes nothing.
    expect(await members("from-file")).toEqual(new Set([db.id]));
    put(file, yaml("renamed", "web"));
    await waitFor("the new name", () => find("renamed"));
    expect(await find("from-file")).toBeUndefined();
    rmSync(file);
    rmSync(join(policyDir, "second.yaml"));
    await waitFor("no policy", async () => (await list()).length === 0, 30_000);
    await waitFor("no policy in the maps", () => dumpPolicyFilter(maps).size === 1);
    await web.end();
    await db.end();
  }, 60_000);

  test("of one name are one policy: the next file's when the first is gone", async () => {
    put(join(policyDir, "a.yaml"), yaml("same", "web"));
    await waitFor("the policy", async () => (await list()).length === 1);
    put(join(policyDir, "b.yaml"), yaml("same", "db"));
    await waitFor("the other is told", () =>
      control.agent().process.stderr().includes("a.yaml has a policy of this name"),
    );
    rmSync(join(policyDir, "a.yaml"));
    const db = await run("db");
    await waitFor("the other one's selector", async () => (await members("same")).has(db.id), 30_000);
    rmSync(join(policyDir, "b.yaml"));
    await waitFor("no policy", async () => (await list()).length === 0, 30_000);
    await db.end();
  }, 60_000);

  test("keep their ids and their containers when the agent is killed and comes back", async () => {
    put(file, yaml("kept", "web"));
    put(join(policyDir, "gone.yaml"), yaml("gone", "db"));
    await waitFor("both", async () => {
      const states = (await list()).map(({ state }) => state);
      return states.length === 2 && states.every((state) => state === TracingPolicyState.TP_STATE_ENABLED);
    });
    const web = await run("web");
    const before = dumpPolicyFilter(maps);
    const { filterId } = (await find("kept")) ?? {};
    control.agent().process.signal("SIGKILL");
    await control.agent().process.exited;
    rmSync(join(policyDir, "gone.yaml"));
    expect(dumpPolicyFilter(maps)).toEqual(before);
    await control.start();
    expect(await find("kept")).toMatchObject({ filterId, state: TracingPolicyState.TP_STATE_ENABLED });
    expect(await members("kept")).toEqual(new Set([web.id]));
    // What the removed file was about stays until it is sure that the file is gone.
    await waitFor("two policies' maps", () => dumpPolicyFilter(maps).size === 2, 30_000);
    expect([...dumpPolicyFilter(maps).keys()].toSorted()).toEqual([1, Number(filterId)]);
    await web.end();
    rmSync(file);
    await waitFor("no policy", async () => (await list()).length === 0, 30_000);
  }, 60_000);
});

describe("policies from calls", () => {
  // Each control has its own place.
  const second = createWorkspace("pol2");
  afterAll(() => second.close());
  const kept = second.path("kept");
  const own = createAgentControl(second, [
    ...["--persist-grpc-policies", "--persist-dir", kept, "--tracing-policy-dir", second.path("none")],
  ]);
  const calls = () => callPolicies(`unix://${own.socketPath}`);

  test("outlive the agent as they were configured, with --persist-grpc-policies", async () => {
    await own.start();
    await calls().add(yaml("one", "web"));
    await calls().add(yaml("two", "web"), "team");
    await calls().add(yaml("three", "web"));
    await calls().configure({
      name: "two",
      domain: "team",
      enable: false,
      mode: TracingPolicyMode.TP_MODE_MONITOR,
    });
    await calls().delete("three");
    writeFileSync(join(kept, "broken.json"), "{");
    own.agent().process.signal("SIGKILL");
    await own.agent().process.exited;
    await own.start();
    expect((await calls().list()).policies).toMatchObject([
      { name: join(kept, "broken.json"), state: TracingPolicyState.TP_STATE_LOAD_ERROR },
      { name: "one", domain: "grpc", state: TracingPolicyState.TP_STATE_ENABLED },
      {
        ...{ name: "two", domain: "team", state: TracingPolicyState.TP_STATE_DISABLED },
        mode: TracingPolicyMode.TP_MODE_MONITOR,
      },
    ]);
    await waitFor("what is broken is told", () =>
      own.agent().process.stderr().includes("cannot restore tracing policy"),
    );
    expect(readdirSync(kept).toSorted()).toEqual(["broken.json", "one::grpc.json", "two::team.json"]);
    expect(statSync(kept).mode & 0o777).toBe(0o700);
  }, 60_000);
});
