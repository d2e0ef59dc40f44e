// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createHookInvocation } from "@rthooks/machines/hook";
import { describeInspection, type Inspect } from "@rthooks/machines/inspection";
import { inspectHook } from "./inspect-hook.ts";
import type { HookStep, LoggedInvocation } from "./logged-invocation.ts";

const input = { deadlineMs: 10_000, allowedTimeoutMs: 1_000, grpcDisabled: false };

/** What an inspector sees, without effects: a log has none. */
function observe() {
  const seen: { readonly what: readonly unknown[]; readonly atMs: number | undefined }[] = [];
  const inspect: Inspect = (inspected, atMs) => {
    const { type, actor, machine, what, state } = describeInspection(inspected);
    const status = inspected.type === "@xstate.snapshot" ? inspected.snapshot.status : "";
    if (type !== "@xstate.action") seen.push({ what: [type, actor, machine, what, state, status], atMs });
  };
  return { seen, inspect };
}

test("an inspector sees an invocation of the log as one that runs here, at its own times", () => {
  const here = observe();
  const hook = createHookInvocation(input, { id: "hook:c1", inspect: here.inspect });
  hook.start(0);
  hook.send({ type: "spec.loaded" }, 1);
  hook.send({ type: "agent.ready" }, 2);
  hook.send({ type: "answer.ok" }, 3);
  const states = ["active.loading", "active.reaching.connecting", "active.requesting", "succeeded"];
  const events = ["xstate.init", "spec.loaded", "agent.ready", "answer.ok"];
  const steps = states.map((state, n): HookStep => ({ atMs: 1000 + n, event: events[n] ?? "", state }));
  const logged: LoggedInvocation = {
    ...{ containerId: "c1", namespace: "shop", pod: "web-0", podUid: "u", container: "web", image: "web:1" },
    ...{ cgroup: "/c1", by: "hook", startedMs: 990, durationMs: 13, phases: [], outcome: "released" },
    ...{ failure: undefined, steps, omittedSteps: 0, denial: "" },
  };
  const past = observe();
  inspectHook(past.inspect, logged);
  expect(past.seen.map(({ what }) => what)).toEqual(here.seen.map(({ what }) => what));
  expect(past.seen.map(({ atMs }) => atMs)).toEqual([990, 1000, 1000, 1001, 1001, 1002, 1002, 1003, 1003]);
});

test("an inspector sees the failure where it has happened, and not before", () => {
  const failures: unknown[] = [];
  const inspect: Inspect = (inspected) => {
    if (inspected.type !== "@xstate.snapshot" || !("context" in inspected.snapshot)) return;
    const { context } = inspected.snapshot;
    failures.push(typeof context === "object" && context !== null && Reflect.get(context, "failure"));
  };
  const failure = { kind: "deadline", message: "no answer" };
  const states = ["active.loading", "active.requesting", "failCheck", "denied"];
  inspectHook(inspect, {
    ...{ containerId: "c1", namespace: "", pod: "", podUid: "", container: "", image: "", cgroup: "" },
    ...{ by: "hook", startedMs: 1, durationMs: 4, phases: [], outcome: "denied", failure },
    ...{ steps: states.map((state) => ({ atMs: 1, event: "e", state })), omittedSteps: 0, denial: "" },
  });
  expect(failures).toEqual([undefined, undefined, failure, failure]);
});

test("two invocations of a container are two actors", () => {
  const sessions = new Set<string>();
  const step = { atMs: 1, event: "e", state: "s" };
  for (const startedMs of [1, 2]) {
    inspectHook(({ actorRef }) => void sessions.add(actorRef.sessionId), {
      ...{ containerId: "c1", namespace: "", pod: "", podUid: "", container: "", image: "", cgroup: "" },
      ...{ by: "hook", startedMs, durationMs: 1, phases: [], outcome: "denied", failure: undefined },
      ...{ steps: [step], omittedSteps: 0, denial: "" },
    });
  }
  expect(sessions.size).toBe(2);
});
