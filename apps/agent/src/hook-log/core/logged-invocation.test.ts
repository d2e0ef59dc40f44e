// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import type { HookInvocation } from "@rthooks/explain";
import { isWithoutTrace, parseInvocation } from "./logged-invocation.ts";

/** As the hook writes it. */
const line = {
  ...{ time: "2026-07-01T10:57:23.435689144Z", level: "WARN", msg: "failing container" },
  ...{ hook: "create-container", "start-time": "2026-07-01T10:57:21.433755984Z" },
  "should-fail": "no namespace is allowed",
  error: "connecting to agent (context deadline exceeded) failed: unix:///s",
  ...{ "req-cgroups": "/kubepods/podu-1/c1", "req-containerName": "web", "req-containerID": "c1" },
  ...{
    "req-containerImage": "web:1",
    "req-podName": "web-0",
    "req-podUID": "u-1",
    "req-podNamespace": "shop",
  },
  ...{ outcome: "denied", reason: "deadline" },
  trace: [
    { us: 3000, event: "xstate.init", state: "active.loading" },
    { us: 3500, event: "spec.loaded", state: "active.reaching.connecting" },
    { us: 3600, event: "agent.lost", state: "active.reaching.backingOff" },
    { us: 2_000_000, event: "xstate.after.deadline.hook.active", state: "failCheck" },
    { us: 2_000_250, event: "check.denied", state: "denied" },
  ],
};

const parse = (changes: object) => parseInvocation(JSON.stringify({ ...line, ...changes }));

/** Durations of differences between Unix times, which are exact to a microsecond. */
const about = (ms: number) => expect.closeTo(ms, 2);

test("a line of a denied container is an invocation with names, times, and what took how long", () => {
  const startedMs = Date.parse("2026-07-01T10:57:21Z") + 433.755984 - 3;
  const parsed = parse({});
  expect(parsed).toMatchObject({
    ...{ containerId: "c1", container: "web", image: "web:1", cgroup: "/kubepods/podu-1/c1" },
    ...{ namespace: "shop", pod: "web-0", podUid: "u-1", by: "hook", outcome: "denied" },
    startedMs: about(startedMs),
    durationMs: 2000.25,
    failure: { kind: "deadline", message: line.error },
    denial: "no namespace is allowed",
    omittedSteps: 0,
  });
  expect(parsed?.steps.map(({ atMs, event, state }) => [atMs - startedMs, event, state])).toEqual(
    line.trace.map(({ us, event, state }) => [about(us / 1000), event, state]),
  );
  expect(
    parsed?.phases.map(({ where, what, startedMs: at, durationMs }) => [
      where,
      what,
      at - startedMs,
      durationMs,
    ]),
  ).toEqual([
    ["hook", "start", about(0), about(3)],
    ["hook", "read the spec", about(3), about(0.5)],
    ["hook", "connect to the agent", about(3.5), about(1996.5)],
    ["hook", "run the fail check", about(2000), about(0.25)],
  ]);
});

test.each<[string, HookInvocation["outcome"]]>([
  ["succeeded", "released"],
  ["skipped", "skipped"],
  ["allowed", "allowed"],
])("the outcome %s", (outcome, expected) => {
  expect(parse({ outcome })?.outcome).toBe(expected);
});

test("what the plugin held in direct mode is the plugin's", () => {
  const parsed = parse({ "req-annotations": { "rthooks.v1/learned-by": "nri", other: "x" } });
  expect(parsed).toMatchObject({ by: "nri", phases: [{ where: "plugin" }, {}, {}, {}] });
});

test("members that a line lacks are empty", () => {
  const { trace, outcome, "start-time": startTime } = line;
  const parsed = parseInvocation(JSON.stringify({ trace, outcome, "start-time": startTime }));
  expect(parsed).toMatchObject({
    containerId: "",
    namespace: "",
    cgroup: "",
    denial: "",
    failure: undefined,
  });
});

test("steps are in the order of their times, and texts are cut", () => {
  const state = "x".repeat(100_000);
  const parsed = parse({
    trace: [
      { us: 20, event: "b", state: "s" },
      { us: 10, event: "a", state },
    ],
    "req-podName": state,
    error: state,
  });
  expect(parsed?.steps.map(({ event }) => event)).toEqual(["a", "b"]);
  expect(parsed?.steps[0]?.state.length).toBe(512);
  expect(parsed?.pod.length).toBe(512);
  expect(parsed?.failure?.message.length).toBe(2048);
});

describe("is not an invocation:", () => {
  const step = { us: 1, event: "e", state: "s" };
  test.each<[string, object]>([
    ["another level's line", { trace: undefined }],
    ["an outcome that the hook does not have", { outcome: "exploded" }],
    ["no step", { trace: [] }],
    ["too many steps", { trace: Array.from({ length: 129 }, () => step) }],
    ["a step that is not an object", { trace: [1] }],
    ["a time below zero", { trace: [{ ...step, us: -1 }] }],
    ["a time of two days", { trace: [{ ...step, us: 2 * 24 * 3600 * 1e6 }] }],
    ["a time with a fraction", { trace: [{ ...step, us: 0.5 }] }],
    ["a time that is not a number", { trace: [{ ...step, us: "1" }] }],
    ["a start that is not a time", { "start-time": "yesterday" }],
    ["a start that no calendar has", { "start-time": "2026-13-41T10:57:21.433755984Z" }],
    ["a name that is not a text", { "req-podName": { toString: "x" } }],
  ])("%s", (_, changes) => {
    expect(parse(changes)).toBeUndefined();
  });

  test.each<[string, string]>([
    ["an empty line", ""],
    ["a line that is not JSON", '"trace":[ nonsense'],
    ["a line that is cut", JSON.stringify(line).slice(0, -1)],
    ["a list", `[${JSON.stringify(line)}]`],
    ["a line that is nested too deep", `{"trace":${"[".repeat(200_000)}`],
    [
      "a number that is infinite",
      `{"outcome":"denied","start-time":"${line["start-time"]}","trace":[{"us":1e999}]}`,
    ],
  ])("%s", (_, text) => {
    expect(parseInvocation(text)).toBeUndefined();
  });
});

test("a pod's annotations cannot add a trace to a line", () => {
  const forged = { a: JSON.stringify({ trace: line.trace }) };
  expect(parse({ trace: undefined, "req-annotations": forged })).toBeUndefined();
});

test("a last line without a trace is noticed", () => {
  const isWithout = (changes: object) => isWithoutTrace(JSON.stringify({ ...line, ...changes }));
  expect(isWithout({ trace: undefined })).toBe(true);
  expect(isWithout({ trace: undefined, msg: "hook request to agent succeeded" })).toBe(true);
  expect(isWithout({})).toBe(false);
  expect(isWithout({ trace: undefined, msg: "hook request to the agent failed" })).toBe(false);
});
