// SPDX-License-Identifier: Apache-2.0
// At createRuntime a hook has the runtime's surroundings and not the container's: nothing that a pod's author writes
// into a container takes from the hook what it needs to run. At which limits it dies stands in docs/hook.md.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createBundle } from "../harness/bundle.ts";
import { type RecordedAgent, startRecordingAgent } from "../harness/fake-agents.ts";
import { hasWritten } from "../harness/first-act.ts";
import { containerdAnnotations, renderState, runHook, writeSpec } from "../harness/hook.ts";
import { createPodman, type Podman } from "../harness/podman.ts";
import { runProcess } from "../harness/process.ts";
import { findHook } from "../harness/programs.ts";
import { createRunc, type Runc } from "../harness/runc.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("surroundings");
const annotations = containerdAnnotations({ uid: "u-1", namespace: "kube-system", name: "web-0" });
let agent: RecordedAgent;
let runc: Runc;
let podman: Podman;
beforeAll(async () => {
  agent = await startRecordingAgent(workspace);
  runc = createRunc(workspace);
  podman = await createPodman(workspace);
}, 120_000);
afterAll(() => workspace.close(), 60_000);

const firstAct = "echo $EPOCHREALTIME > /out/first";
const hookArgs = () => [
  ...["createRuntime", "--grpc-address", `unix://${agent.socketPath}`],
  ...["--log-fname", workspace.path("hook.log")],
];
/** Limits that a container's shell lives with and the hook would not. */
const limits = [
  { type: "RLIMIT_STACK", hard: 131_072, soft: 131_072 },
  { type: "RLIMIT_DATA", hard: 100_000_000, soft: 100_000_000 },
];

let count = 0;

describe("runc holds a container", () => {
  const variants: Readonly<Record<string, (spec: Record<string, unknown>) => object>> = {
    "with limits that would kill the hook": ({ process, ...spec }) => ({
      ...spec,
      process: { ...Object(process), rlimits: limits },
    }),
    "of another user, without capabilities": ({ process, ...spec }) => ({
      ...spec,
      process: { ...Object(process), user: { uid: 0, gid: 65_534 }, capabilities: {} },
    }),
  };
  test.each(Object.entries(variants))(
    "%s",
    async (_name, change) => {
      const id = `s${++count}-${workspace.tag}`;
      const bundle = createBundle(workspace, {
        id,
        cgroupsPath: `${runc.cgroupParent}/${id}`,
        script: firstAct,
        annotations,
        hooks: { createRuntime: [{ path: findHook(), args: ["tetragon-oci-hook", ...hookArgs()] }] },
      });
      const path = join(bundle.dir, "config.json");
      writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, "utf8")))));
      const before = agent.requests.length;
      expect(await runc.run(bundle)).toMatchObject({ exitCode: 0, stderr: "" });
      expect(agent.requests.length).toBe(before + 1);
      expect(hasWritten(bundle.outDir)).toBe(true);
    },
    60_000,
  );
});

describe("podman holds a container", () => {
  test("with limits that would kill the hook", async () => {
    const name = `s${++count}`;
    const outDir = workspace.path(name);
    mkdirSync(outDir);
    podman.setHook(findHook(), hookArgs());
    const before = agent.requests.length;
    const run = podman.start({
      name,
      outDir,
      annotations,
      script: firstAct,
      flags: ["--ulimit", "stack=131072:131072"],
    });
    expect(await run.exited).toMatchObject({ exitCode: 0 });
    expect(agent.requests.length).toBe(before + 1);
    expect(hasWritten(outDir)).toBe(true);
  }, 60_000);
});

/** A hook that cannot start lets no container start, in no namespace: the fail check has not been reached. */
describe("a hook that cannot start ends with an error", () => {
  const state = () =>
    renderState(writeSpec(workspace.path("bundle"), { annotations, linux: {} }), annotations);
  test.each([
    { name: "in a working directory that was deleted", script: 'mkdir g; cd g; rmdir ../g; exec "$0" "$@"' },
    {
      name: "without /proc",
      script: 'unshare -m sh -c \'mount -t tmpfs none /proc; exec "$0" "$@"\' "$0" "$@"',
    },
    { name: "with too little data", script: 'exec prlimit --data=100000000 "$0" "$@"' },
    { name: "with too little stack", script: 'exec prlimit --stack=131072 "$0" "$@"' },
    { name: "with too few descriptors", script: 'exec prlimit --nofile=4 "$0" "$@"' },
  ])(
    "$name",
    async ({ script }) => {
      const cwd = workspace.path(`cwd-${++count}`);
      mkdirSync(cwd);
      const argv = ["/bin/sh", "-c", script, findHook(), ...hookArgs()];
      const result = await runProcess(argv, { cwd, stdin: state(), killAfterMs: 60_000 });
      expect(result.exitCode).not.toBe(0);
      expect(result.stderr).not.toBe("");
    },
    90_000,
  );

  test("unless the configuration raises the limits for it, as docs/hook.md shows", async () => {
    // Soft limits alone, since raising a hard one needs CAP_SYS_RESOURCE.
    const script = 'exec prlimit --stack=131072: --data=100000000: "$@"';
    const raising = ["prlimit", "--stack=8388608:", "--data=unlimited:", findHook(), ...hookArgs()];
    const argv = ["/bin/sh", "-c", script, "sh", ...raising];
    expect(await runProcess(argv, { stdin: state() })).toMatchObject({ exitCode: 0, stderr: "" });
  }, 60_000);

  test("and with twice what it needs it runs", async () => {
    const script = 'exec prlimit --data=700000000 --stack=400000 --nofile=12 "$0" "$@"';
    const argv = ["/bin/sh", "-c", script, findHook(), ...hookArgs()];
    expect(await runHook(hookArgs(), { stdin: state() })).toMatchObject({ exitCode: 0 });
    expect(await runProcess(argv, { stdin: state() })).toMatchObject({ exitCode: 0, stderr: "" });
  }, 60_000);
});
