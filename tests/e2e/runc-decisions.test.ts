// SPDX-License-Identifier: Apache-2.0
// What becomes of a container of runc when the agent does not answer for it.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createBundle, firstActScript } from "../harness/bundle.ts";
import { findCgroupDirectories } from "../harness/cgroup.ts";
import {
  type BadAgent,
  createStaleSocket,
  startBadAgent,
  startRecordingAgent,
} from "../harness/fake-agents.ts";
import { findFirstAct, hasWritten } from "../harness/first-act.ts";
import { containerdAnnotations } from "../harness/hook.ts";
import type { Finished } from "../harness/process.ts";
import { findHook } from "../harness/programs.ts";
import { type JsonRecord, readLog } from "../harness/records.ts";
import { createRunc, type Runc } from "../harness/runc.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("runc");
let runc: Runc;
beforeAll(() => {
  runc = createRunc(workspace);
});
afterAll(() => workspace.close());

interface Outcome {
  readonly id: string;
  readonly result: Finished;
  readonly log: readonly JsonRecord[];
  readonly started: boolean;
}

let count = 0;

async function runContainer(options: {
  readonly socketPath?: string;
  readonly namespace?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
  readonly stage?: "createRuntime" | "createContainer" | "poststop";
  readonly stageArgument?: string;
}): Promise<Outcome> {
  const name = `c${++count}`;
  const id = `${name}-${workspace.tag}`;
  const stage = options.stage ?? "createRuntime";
  const log = workspace.path(`${name}.log`);
  const socketPath = options.socketPath ?? workspace.path("nobody.sock");
  const address = ["--grpc-address", `unix://${socketPath}`, "--log-fname", log];
  const bundle = createBundle(workspace, {
    id,
    cgroupsPath: `${runc.cgroupParent}/${name}`,
    script: firstActScript,
    annotations: {
      ...containerdAnnotations({
        uid: "0c7a3a3e-58f5-4a2b-8f0c-5f9a2f0d4e01",
        namespace: options.namespace ?? "shop",
        name: "web-0",
        container: name,
      }),
      ...options.annotations,
    },
    hooks: {
      [stage]: [
        {
          path: findHook(),
          args: ["tetragon-oci-hook", options.stageArgument ?? stage, ...address, ...(options.flags ?? [])],
        },
      ],
    },
  });
  const result = await runc.run(bundle);
  const started = findFirstAct(bundle.outDir) !== undefined;
  // Either everything of it ran, or nothing.
  expect(hasWritten(bundle.outDir)).toBe(started);
  return { id, result, log: readLog(log), started };
}

async function expectDenied(outcome: Outcome): Promise<void> {
  expect(outcome.result.stderr).toContain("failing container: ");
  expect(outcome.result.stderr).toMatch(/Check logs \(\S+\.log\) for additional info/);
  expect(outcome.result.exitCode).toBe(1);
  expect(outcome.started).toBe(false);
  expect(await runc.knows(outcome.id)).toBe(false);
  expect(findCgroupDirectories(`${runc.cgroupParent}/${outcome.id.split("-")[0]}`)).toEqual([]);
  expect(outcome.log.map(({ level, msg }) => [level, msg])).toEqual([
    ["WARN", "hook request to the agent failed"],
    ["WARN", "failing container"],
  ]);
}

function expectAllowed(outcome: Outcome): void {
  expect(outcome.result.stderr).toBe("");
  expect(outcome.result.exitCode).toBe(0);
  expect(outcome.started).toBe(true);
  expect(outcome.log.map(({ level, msg }) => [level, msg])).toEqual([
    ["WARN", "hook request to the agent failed"],
    ["INFO", "failCheck determined that we should not fail this container, even if there was an error"],
  ]);
}

const short = ["--grpc-timeout", "400ms"];

describe("without an agent", () => {
  test("a container is denied: it does not exist afterwards, and runc shows why", async () => {
    const outcome = await runContainer({ flags: short });
    await expectDenied(outcome);
    expect(outcome.log[0]?.["err"]).toBe(
      `connecting to agent (context deadline exceeded) failed: unix://${workspace.path("nobody.sock")}`,
    );
    expect(outcome.log[1]?.["should-fail"]).toBe("failCheck determined that we should fail");
  }, 30_000);

  test.each([
    { name: "the agent's own namespace, by default", namespace: "kube-system", flags: [] },
    {
      name: "a namespace on the list",
      namespace: "ops",
      flags: ["--fail-allow-namespaces", "kube-system,ops"],
    },
    {
      name: "a namespace that a pattern matches",
      namespace: "ci-42",
      flags: ["--fail-allow-namespaces-regex", "^ci-[0-9]{1,3}$"],
    },
    {
      name: "an annotation that CEL asks for",
      namespace: "shop",
      flags: ["--fail-cel-expr", "!('team' in annotations)"],
      annotations: { team: "web" },
    },
    {
      name: "a namespace in an annotation of another name",
      namespace: "shop",
      flags: ["--annotations-namespace-key", "example.org/ns"],
      annotations: { "example.org/ns": "kube-system" },
    },
  ])(
    "a container is allowed by $name",
    async ({ namespace, flags, annotations }) => {
      const outcome = await runContainer({
        namespace,
        // It gives up early for a container that starts anyway: to the end of an hour nothing here would wait.
        flags: ["--grpc-timeout", "1h", "--grpc-timeout-allowed", "100ms", ...flags],
        ...(annotations === undefined ? {} : { annotations }),
      });
      expectAllowed(outcome);
    },
    30_000,
  );

  test.each([
    {
      name: "a list that names others only",
      namespace: "kube-system",
      flags: ["--fail-allow-namespaces", "ops"],
    },
    {
      name: "a pattern that does not match",
      namespace: "xci-42x",
      flags: ["--fail-allow-namespaces-regex", "^ci-"],
    },
    {
      name: "one of its two namespaces, the first",
      namespace: "kube-system",
      flags: [],
      annotations: { "io.kubernetes.pod.namespace": "shop" },
    },
    {
      name: "one of its two namespaces, the second",
      namespace: "shop",
      flags: [],
      annotations: { "io.kubernetes.pod.namespace": "kube-system" },
    },
    {
      name: "CEL, even in the agent's own namespace",
      namespace: "kube-system",
      flags: ["--fail-cel-expr", "true"],
    },
    {
      name: "CEL that cannot be evaluated",
      namespace: "kube-system",
      flags: ["--fail-cel-expr", "annotations['absent'] == 'x'"],
    },
  ])(
    "a container is denied by $name",
    async ({ namespace, flags, annotations }) => {
      const authored = annotations === undefined ? {} : { annotations };
      await expectDenied(await runContainer({ namespace, flags: [...short, ...flags], ...authored }));
    },
    30_000,
  );

  test("--disable-grpc lets a container start and says so", async () => {
    const outcome = await runContainer({ flags: ["--disable-grpc"] });
    expect(outcome.result.exitCode).toBe(0);
    expect(outcome.started).toBe(true);
    expect(outcome.log.map(({ msg }) => msg)).toEqual([
      "gRPC was disabled, so will not be contacting the agent",
    ]);
  }, 30_000);
});

describe("with an agent that is no use", () => {
  const behaviours: readonly BadAgent[] = [
    "accepts and stays silent",
    "settings, then silence",
    "half a frame",
    "message without trailers",
    "PING flood",
    "GOAWAY",
    "dies mid-way",
    "one byte every 30 ms",
  ];
  test.each(behaviours.map((behaviour) => ({ behaviour })))(
    "a container is denied at the deadline: $behaviour",
    async ({ behaviour }) => {
      const outcome = await runContainer({
        socketPath: await startBadAgent(workspace, behaviour),
        flags: short,
      });
      await expectDenied(outcome);
    },
    30_000,
  );

  test("a container is denied when the socket's owner is dead", async () => {
    const outcome = await runContainer({ socketPath: await createStaleSocket(workspace), flags: short });
    await expectDenied(outcome);
  }, 30_000);

  test("a container of the agent's own namespace is allowed when the agent is hung", async () => {
    const socketPath = await startBadAgent(workspace, "accepts and stays silent");
    const outcome = await runContainer({ socketPath, namespace: "kube-system", flags: short });
    expectAllowed(outcome);
  }, 30_000);

  test("the agent's own words of refusal reach the runtime and the log", async () => {
    const details = "pod web-0 is unknown: 100% sure, naïve ✓";
    const { socketPath, requests } = await startRecordingAgent(workspace, { code: 9, details });
    const outcome = await runContainer({ socketPath });
    await expectDenied(outcome);
    expect(String(outcome.log[0]?.["err"])).toContain(details);
    expect(requests).toHaveLength(1);
  }, 30_000);
});

describe("stages other than createRuntime", () => {
  test.each([
    { stage: "createContainer" as const, stageArgument: "createContainer", expected: ["nothing to do"] },
    { stage: "poststop" as const, stageArgument: "poststop", expected: ["nothing to do"] },
    {
      stage: "createRuntime" as const,
      stageArgument: "startContainer",
      expected: ["hook called with unknown hook"],
    },
  ])(
    "$stageArgument lets the container be, and asks no agent",
    async ({ stage, stageArgument, expected }) => {
      const { socketPath, requests } = await startRecordingAgent(workspace);
      const outcome = await runContainer({ stage, stageArgument, socketPath });
      expect(outcome.result).toMatchObject({ exitCode: 0, stderr: "" });
      expect(outcome.started).toBe(true);
      expect(outcome.log.map(({ msg }) => msg)).toEqual([...expected]);
      expect(requests).toEqual([]);
    },
    30_000,
  );
});
