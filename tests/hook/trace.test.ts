// SPDX-License-Identifier: Apache-2.0
// What the hook's last line says of an invocation at --log-level debug, and that it does not at other levels.
import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { containerdAnnotations, createSpec, renderState, runHook, writeSpec } from "../harness/hook.ts";
import { parseRecord } from "../harness/records.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("trace");
afterAll(() => workspace.close());

const pod = { uid: "u-1", namespace: "shop", name: "web-0", container: "web" };
const withoutAgent = ["--grpc-address", `unix://${workspace.path("absent.sock")}`, "--grpc-timeout", "60ms"];

async function runLogged(name: string, bundle: string, flags: readonly string[]) {
  const logPath = workspace.path(`${name}.log`);
  const { exitCode } = await runHook(["createRuntime", "--log-fname", logPath, ...flags], {
    stdin: renderState(bundle),
  });
  const lines = readFileSync(logPath, "utf8").trimEnd().split("\n").map(parseRecord);
  return { exitCode, lines, last: lines.at(-1) ?? {} };
}

const bundleOf = (name: string) =>
  writeSpec(workspace.path("bundles", name), createSpec(containerdAnnotations(pod)));

/** The steps of the line's trace, after a check of their times. */
function readSteps(line: Readonly<Record<string, unknown>>): readonly (readonly [string, string])[] {
  const { trace } = line;
  if (!Array.isArray(trace)) throw new Error(`no trace in ${JSON.stringify(line)}`);
  const times = trace.map(({ us }) => us);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times[0]).toBeGreaterThan(0);
  for (const time of times) expect(Number.isSafeInteger(time)).toBe(true);
  return trace.map(({ event, state }) => [event, state]);
}

test("a denied container has its names, the outcome and each step in its last line", async () => {
  const { exitCode, lines, last } = await runLogged("denied", bundleOf("denied"), [
    ...withoutAgent,
    ...["--log-level", "debug"],
  ]);
  expect(exitCode).toBe(1);
  expect(lines.map(({ msg }) => msg)).toEqual(["hook request to the agent failed", "failing container"]);
  expect(last).toMatchObject({
    ...{
      "req-podNamespace": "shop",
      "req-podName": "web-0",
      "req-podUID": "u-1",
      "req-containerName": "web",
    },
    ...{ outcome: "denied", reason: "deadline" },
    "req-containerID": "container-of-a-test",
    error: expect.stringContaining("connecting to agent"),
  });
  const steps = readSteps(last);
  expect(steps[0]).toEqual(["xstate.init", "active.loading"]);
  expect(steps[1]).toEqual(["spec.loaded", "active.reaching.connecting"]);
  expect(steps.slice(-2)).toEqual([
    ["xstate.after.deadline.hook.active", "failCheck"],
    ["check.denied", "denied"],
  ]);
  // The deadline counts from the same moment as the trace.
  const denied: unknown = Reflect.get(Object(Reflect.get(Object(last["trace"]), steps.length - 1)), "us");
  expect(denied).toBeGreaterThanOrEqual(60_000);
});

test("a container that the fail check allows", async () => {
  const flags = [...withoutAgent, "--log-level", "debug", "--fail-allow-namespaces", "shop"];
  const { exitCode, last } = await runLogged("allowed", bundleOf("allowed"), flags);
  expect(exitCode).toBe(0);
  expect(last).toMatchObject({ outcome: "allowed", "req-podName": "web-0" });
  expect(last["err"]).toContain("connecting to agent");
  expect(readSteps(last).at(-1)).toEqual(["check.allowed", "allowed"]);
});

test("a container whose spec cannot be read has its id", async () => {
  const bundle = writeSpec(workspace.path("bundles", "broken"), "{");
  const { last } = await runLogged("broken", bundle, [...withoutAgent, "--log-level", "debug"]);
  expect(last).toMatchObject({
    ...{ outcome: "denied", reason: "spec", "req-containerID": "container-of-a-test" },
  });
  expect(readSteps(last).map(([, state]) => state)).toEqual(["active.loading", "failCheck", "denied"]);
});

test.each([
  ["info", []],
  ["debug", ["outcome", "trace"]],
])("without calls to the agent, at level %s", async (level, keys) => {
  const bundle = bundleOf(`skipped-${level}`);
  const { lines, last } = await runLogged(`skipped-${level}`, bundle, [
    "--disable-grpc",
    "--log-level",
    level,
  ]);
  expect(lines.length).toBe(1);
  expect(Object.keys(last).filter((key) => ["outcome", "reason", "trace"].includes(key))).toEqual(keys);
});

test.each(["info", "warn"])(
  "at level %s the lines of a denied container have only Tetragon's keys",
  async (level) => {
    const { lines } = await runLogged(level, bundleOf(level), [...withoutAgent, "--log-level", level]);
    expect(lines.map((line) => Object.keys(line).slice(3))).toEqual([
      [
        ...["hook", "start-time", "req-cgroups", "req-rootdir", "req-containerName", "req-containerID"],
        ...["req-containerImage", "req-podName", "req-podUID", "req-podNamespace", "cgroups-remark", "err"],
      ],
      ["hook", "start-time", "should-fail", "error"],
    ]);
  },
);
