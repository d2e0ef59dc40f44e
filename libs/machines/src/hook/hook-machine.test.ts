// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { createActor, SimulatedClock } from "xstate";
import { readMachineTable } from "../table/read-machine-table.ts";
import { createHookInvocation, isHookEffect } from "./hook-invocation.ts";
import type { HookContext, HookEffect, HookEvent, HookInput } from "./hook-logic.ts";
import { hookMachine } from "./hook-machine.ts";
import { findHookPaths, type PathEvent, pathEvents, pathInput, walkMachine } from "./hook-paths.fixture.ts";

const inputs: readonly HookInput[] = [pathInput, { ...pathInput, grpcDisabled: true }];
const effectNames = Object.keys(hookMachine.implementations.actions).filter(isHookEffect);
const finals = ["succeeded", "skipped", "allowed", "denied"];

/** The table's steps along a path, in the shape of walkMachine's. */
function walkTable(input: HookInput, events: readonly PathEvent[]) {
  const run = createHookInvocation(input);
  let effects = run.start(0);
  const step = (event: PathEvent | undefined) => ({
    event,
    state: run.state,
    context: run.context,
    effects,
    done: run.done,
  });
  const steps = [step(undefined)];
  for (const event of events) {
    effects = run.send(event, 0);
    steps.push(step(event));
  }
  return steps;
}

describe("the table is the machine", () => {
  for (const input of inputs) {
    const paths = findHookPaths(input);
    test(`same states, contexts and effects on all paths, grpcDisabled ${input.grpcDisabled}`, () => {
      expect(paths.length).toBeGreaterThan(input.grpcDisabled ? 3 : 40);
      for (const path of paths) expect(walkTable(input, path)).toEqual([...walkMachine(input, path)]);
    });

    test(`an event without a transition changes nothing in either, grpcDisabled ${input.grpcDisabled}`, () => {
      for (const path of paths) {
        for (const event of pathEvents) {
          const longer = [...path, event];
          expect(walkTable(input, longer)).toEqual([...walkMachine(input, longer)]);
        }
      }
    });
  }
});

describe("every path", () => {
  const walks = inputs.flatMap((input) => findHookPaths(input).map((path) => walkMachine(input, path)));
  const ended = walks.filter((steps) => steps.at(-1)?.done === true);

  test("together they reach every state", () => {
    const seen = new Set(walks.flat().map((step) => step.state));
    expect([...seen].sort()).toEqual(Object.keys(readMachineTable(hookMachine).states).sort());
  });

  test("ends with exactly the reports of its outcome", () => {
    expect(new Set(ended.map((steps) => steps.at(-1)?.state ?? ""))).toEqual(new Set(finals));
    for (const steps of ended) {
      const last = steps.at(-1);
      const reports = steps.flatMap((step) => step.effects).filter((effect) => effect.startsWith("report"));
      const failedFirst = steps.some((step) => step.event?.type === "spec.failed");
      const expected: Record<string, readonly string[]> = {
        succeeded: ["reportSuccess"],
        skipped: failedFirst ? ["reportFailure", "reportSkipped"] : ["reportSkipped"],
        allowed: ["reportFailure", "reportAllowed"],
        denied: ["reportFailure", "reportDenied"],
      };
      expect(reports).toEqual([...(expected[last?.state ?? ""] ?? ["?"])]);
    }
  });

  test("is allowed or denied only by failCheck, with the failure at hand", () => {
    for (const steps of ended) {
      const last = steps.at(-1);
      if (last === undefined || !["allowed", "denied"].includes(last.state)) continue;
      expect(last.event?.type).toBe(last.state === "allowed" ? "check.allowed" : "check.denied");
      expect(last.context.failure).toBeDefined();
      expect(last.context.denial !== undefined).toBe(last.state === "denied");
    }
  });

  test("leaves no attempt open when a delay ends", () => {
    for (const steps of walks) {
      for (const step of steps) {
        if (!/deadline|allowedTimeout/.test(step.event?.type ?? "") || step.effects.length === 0) continue;
        expect(step.effects[0]).toBe("disconnect");
      }
    }
  });

  test("goes to failCheck from every state of an active invocation when the deadline comes", () => {
    const deadline = { type: "xstate.after.deadline.hook.active" } as const;
    for (const steps of walks) {
      const last = steps.at(-1);
      if (last === undefined || last.done || last.state === "failCheck") continue;
      const path = steps.flatMap((step) => (step.event === undefined ? [] : [step.event]));
      const after = walkMachine(pathInput, [...path, deadline]).at(-1);
      if (steps[0]?.context.grpcDisabled === true) continue;
      expect(after?.state).toBe("failCheck");
      expect(after?.context.failure).toEqual({ kind: "deadline", phase: last.context.phase });
    }
  });
});

describe("time", () => {
  /** An actor whose effects are answered by a script: the effect's name to the event that comes of it. */
  function start(input: HookInput, answers: Partial<Record<HookEffect, () => HookEvent | undefined>>) {
    const clock = new SimulatedClock();
    const effects: { readonly effect: string; readonly atMs: number; readonly context: HookContext }[] = [];
    const actions = Object.fromEntries(
      effectNames.map((effect) => [
        effect,
        ({ context, self }: { context: HookContext; self: { send(event: HookEvent): void } }) => {
          effects.push({ effect, atMs: clock.now(), context });
          const event = answers[effect]?.();
          if (event !== undefined) self.send(event);
        },
      ]),
    );
    const actor = createActor(hookMachine.provide({ actions }), { clock, input });
    actor.start();
    return {
      actor,
      // In small steps: the clock sets what is due within one step to its end.
      advance: (ms: number) => {
        for (let passed = 0; passed < ms; passed++) clock.increment(1);
      },
      effects,
      times: (name: string) => effects.filter(({ effect }) => effect === name).map(({ atMs }) => atMs),
    };
  }

  const noAgent = {
    load: () => ({ type: "spec.loaded" }) as const,
    connect: () => ({ type: "agent.lost" }) as const,
  };
  const denies = { check: () => ({ type: "check.denied", denial: "no" }) as const };
  const allows = { check: () => ({ type: "check.allowed" }) as const };

  test("without an agent it tries again at least every 50 ms until the deadline, then fails the container", () => {
    const run = start(pathInput, { ...noAgent, ...denies });
    run.advance(10_000);
    expect(run.actor.getSnapshot().value).toBe("denied");
    const attempts = run.times("connect");
    expect(attempts.length).toBeGreaterThan(200);
    for (const [index, atMs] of attempts.entries())
      expect(atMs - (attempts[index - 1] ?? 0)).toBeLessThanOrEqual(50);
    expect(run.times("reportDenied")).toEqual([10_000]);
  });

  test("a container that the fail check allows waits only for its shorter time", () => {
    const run = start(pathInput, { ...noAgent, ...allows });
    run.advance(999);
    expect(run.actor.getSnapshot().status).toBe("active");
    run.advance(1);
    expect(run.actor.getSnapshot().value).toBe("allowed");
    expect(run.times("check")).toEqual([1_000]);
  });

  test("an agent that accepts connections and does not answer counts as absent", () => {
    const run = start(pathInput, { load: noAgent.load, ...allows });
    run.advance(1_000);
    expect(run.actor.getSnapshot().value).toBe("allowed");
    expect(run.times("disconnect")).toEqual([1_000]);
  });

  test("an agent that answered with a first frame gets the whole deadline", () => {
    const run = start(pathInput, { load: noAgent.load, ...allows });
    run.actor.send({ type: "agent.ready" });
    run.advance(9_999);
    expect(run.actor.getSnapshot().status).toBe("active");
    run.advance(1);
    expect(run.actor.getSnapshot().value).toBe("allowed");
    expect(run.actor.getSnapshot().context.failure).toEqual({ kind: "deadline", phase: "requesting" });
  });

  test("the fail check runs early only once", () => {
    const run = start(pathInput, { ...noAgent, ...denies });
    run.advance(10_000);
    expect(run.times("check")).toEqual([1_000, 10_000]);
  });

  test("the table's delays run like the actor's", () => {
    for (const answers of [
      { ...noAgent, ...denies },
      { ...noAgent, ...allows },
    ]) {
      const actor = start(pathInput, answers);
      actor.advance(20_000);
      expect(runTableTo(20_000, answers)).toEqual(
        actor.effects.map(({ effect, atMs }) => ({ effect, atMs })),
      );
    }
  });

  function runTableTo(endMs: number, answers: Partial<Record<HookEffect, () => HookEvent | undefined>>) {
    const performed: { readonly effect: string; readonly atMs: number }[] = [];
    const queue: string[] = [];
    const run = createHookInvocation(pathInput);
    queue.push(...run.start(0));
    for (let now = 0; ; ) {
      for (let effect = queue.shift(); effect !== undefined; effect = queue.shift()) {
        performed.push({ effect, atMs: now });
        const event = isHookEffect(effect) ? answers[effect]?.() : undefined;
        if (event !== undefined) queue.push(...run.send(event, now));
      }
      if (run.done || run.nextDelayAt > endMs) return performed;
      now = run.nextDelayAt;
      queue.push(...run.tick(now));
    }
  }
});
