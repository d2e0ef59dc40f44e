// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import type { HookEffect, HookEvent } from "@rthooks/machines/hook";
import { describeInspection } from "@rthooks/machines/inspection";
import { type HookDriver, runHookMachine } from "./run-hook-machine.ts";

const input = { deadlineMs: 100, allowedTimeoutMs: 100, grpcDisabled: false };

/** Answers effects at once, and has nothing to wait for. */
function createDriver(answers: Partial<Record<HookEffect, HookEvent>>, performed: string[] = []): HookDriver {
  let now = 0;
  return {
    nowMs: () => now,
    perform(effect) {
      performed.push(effect);
      return answers[effect];
    },
    wait(untilMs) {
      now = untilMs;
      return undefined;
    },
  };
}

test("an inspector gets each event and the state after it", async () => {
  const walk: string[] = [];
  const driver = createDriver({
    load: { type: "spec.loaded" },
    connect: { type: "agent.unreachable", failure: { kind: "unreachable", reason: "permission denied" } },
    check: { type: "check.denied", denial: "no" },
  });
  const allowed = await runHookMachine(input, driver, {
    id: "hook:c1",
    inspect(inspected) {
      const { actor, machine, type, what, state } = describeInspection(inspected);
      if (type === "@xstate.snapshot") walk.push(`${machine} ${actor} ${what} → ${state}`);
    },
  });
  expect(allowed).toBe(false);
  expect(walk).toEqual([
    "hook hook:c1 xstate.init → active.loading",
    "hook hook:c1 spec.loaded → active.reaching.connecting",
    "hook hook:c1 agent.unreachable → failCheck",
    "hook hook:c1 check.denied → denied",
  ]);
});

test("the deadline ends the wait for an agent that does not answer", async () => {
  const performed: string[] = [];
  const driver = createDriver({ load: { type: "spec.loaded" }, check: { type: "check.allowed" } }, performed);
  expect(await runHookMachine(input, driver)).toBe(true);
  expect(performed).toEqual(["load", "connect", "disconnect", "reportFailure", "check", "reportAllowed"]);
});
