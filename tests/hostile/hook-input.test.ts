// SPDX-License-Identifier: Apache-2.0
// Generated specs, OCI states, command lines and configuration files, each given to the built hook.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFileSync, linkSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { containerdAnnotations, createSpec, renderState, writeSpec } from "../harness/hook.ts";
import { type Finished, runProcess } from "../harness/process.ts";
import { findHook } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { commandLine, configBytes, specBytes, stateBytes } from "./arbitraries.ts";
import { expectCivil } from "./verdict.ts";

const workspace = createWorkspace("input");
/** Cases that run at the same time, each in a place of its own. */
const lanes = 6;
const deadlineMs = 100;
let runs = 0;

const laneDir = (lane: number) => workspace.path(`lane-${lane}`);
const laneHook = (lane: number) => join(laneDir(lane), "tetragon-oci-hook");

beforeAll(() => {
  // Each lane has the program under a path of its own, so that each has a configuration file of its own.
  copyFileSync(findHook(), workspace.path("program"));
  for (let lane = 0; lane < lanes; lane++) {
    mkdirSync(laneDir(lane));
    linkSync(workspace.path("program"), laneHook(lane));
  }
});
afterAll(() => {
  console.log(`hostile input: ${runs} processes`);
  return workspace.close();
});

function runInLane(lane: number, args: readonly string[], stdin: Uint8Array | string): Promise<Finished> {
  runs++;
  return runProcess([laneHook(lane), ...args], { cwd: laneDir(lane), stdin, killAfterMs: 30_000 });
}

const safeFlags = (lane: number) => [
  ...["--log-fname", join(laneDir(lane), "hook.log"), "--grpc-timeout", `${deadlineMs}ms`],
];
const nobody = ["--grpc-address", `unix://${workspace.path("nobody.sock")}`];

/** One property over `lanes` cases at a time. */
const inLanes = <T>(arbitrary: fc.Arbitrary<T>, check: (lane: number, value: T) => Promise<void>) =>
  fc.asyncProperty(fc.tuple(...Array.from({ length: lanes }, () => arbitrary)), async (values) => {
    await Promise.all(values.map((value, lane) => check(lane, value)));
  });

const contains = (bytes: Uint8Array, word: string) => Buffer.from(bytes).includes(word);

test("whatever the spec and the state say, a container of no allowed namespace is denied in time", async () => {
  const bundle = "bundle-of-this-lane";
  await fc.assert(
    inLanes(fc.tuple(specBytes, stateBytes(bundle)), async (lane, [spec, state]) => {
      const dir = writeSpec(join(laneDir(lane), "bundle"), spec);
      const stdin = Buffer.from(state).toString("latin1").replaceAll(bundle, dir);
      const args = ["createRuntime", ...safeFlags(lane), ...nobody];
      const result = await runInLane(lane, args, Buffer.from(stdin, "latin1"));
      expectCivil(result);
      const allowed = contains(spec, "kube-system") || contains(state, "kube-system");
      expect(result.exitCode).toBe(allowed ? (result.exitCode ?? -1) : 1);
      expect(result.stderr).toContain("failing container: ");
    }),
    { numRuns: 110 },
  );
}, 300_000);

const goodState = (lane: number): string =>
  renderState(
    writeSpec(
      join(laneDir(lane), "good"),
      createSpec(containerdAnnotations({ uid: "u", namespace: "shop", name: "web-0" })),
    ),
  );

test("whatever the command line says, the hook decides in time, in one line", async () => {
  await fc.assert(
    inLanes(commandLine, async (lane, args) => {
      // The fixed flags come first, so that a generated "--" does not swallow them.
      const result = await runInLane(lane, [...safeFlags(lane), ...args], goodState(lane));
      expectCivil(result);
    }),
    { numRuns: 80 },
  );
}, 300_000);

test("whatever the configuration file says, the hook decides in time", async () => {
  await fc.assert(
    inLanes(configBytes, async (lane, config) => {
      writeFileSync(join(laneDir(lane), "tetragon-oci-hook.json"), config);
      const result = await runInLane(lane, ["createRuntime", ...safeFlags(lane), ...nobody], goodState(lane));
      expectCivil(result);
      writeFileSync(join(laneDir(lane), "tetragon-oci-hook.json"), "{}");
    }),
    { numRuns: 70 },
  );
}, 300_000);
