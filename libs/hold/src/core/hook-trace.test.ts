// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createHookInvocation } from "@rthooks/machines/hook";
import { createHookTrace } from "./hook-trace.ts";

const input = { deadlineMs: 10_000, allowedTimeoutMs: 1_000, grpcDisabled: false };

function start() {
  let now = 0.4121;
  const trace = createHookTrace(() => now);
  const hook = createHookInvocation(input, { id: "hook:c1", inspect: trace.inspect });
  hook.start(now);
  const send = (event: Parameters<typeof hook.send>[0], atMs: number) => {
    now = atMs;
    hook.send(event, atMs);
  };
  return { trace, send };
}

test("a trace has each step with its event, its state and its microseconds", () => {
  const { trace, send } = start();
  send({ type: "spec.loaded" }, 1.5);
  send({ type: "agent.ready" }, 2.0004);
  send({ type: "answer.ok" }, 3.25);
  expect(trace.fields("succeeded", undefined)).toEqual({
    outcome: "succeeded",
    trace: [
      { us: 412, event: "xstate.init", state: "active.loading" },
      { us: 1500, event: "spec.loaded", state: "active.reaching.connecting" },
      { us: 2000, event: "agent.ready", state: "active.requesting" },
      { us: 3250, event: "answer.ok", state: "succeeded" },
    ],
  });
});

test("of a long wait for the agent the first and the last steps stay, and the number of the others", () => {
  const { trace, send } = start();
  send({ type: "spec.loaded" }, 1);
  for (let attempt = 0; attempt < 500; attempt++) {
    send({ type: "agent.lost" }, 10 * attempt + 2);
    send({ type: "xstate.after.backoff.hook.active.reaching.backingOff" }, 10 * attempt + 7);
  }
  send({ type: "xstate.after.deadline.hook.active" }, 10_000);
  send({ type: "check.denied", denial: "no" }, 10_001);
  const { trace: steps, "trace-omitted": omitted, reason } = trace.fields("denied", "deadline");
  if (!Array.isArray(steps)) throw new Error("no trace");
  expect(reason).toBe("deadline");
  expect(steps.length).toBe(64);
  expect(omitted).toBe(1004 - 64);
  expect(steps[0]).toEqual({ us: 412, event: "xstate.init", state: "active.loading" });
  expect(steps.at(-2)).toEqual({
    us: 10_000_000,
    event: "xstate.after.deadline.hook.active",
    state: "failCheck",
  });
  const times = steps.map(({ us }) => us);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});
