// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { createActor, SimulatedClock } from "xstate";
import { createTableLogic } from "../runners/actor-logic.ts";
import type { ElectionEvent } from "./election-logic.ts";
import { electionMachine } from "./election-machine.ts";
import type { OperatorEvent } from "./operator-logic.ts";
import { operatorMachine } from "./operator-machine.ts";

const granted: ElectionEvent = { type: "lease.granted", tookMs: 0 };
const failed: ElectionEvent = { type: "lease.failed", reason: "no answer" };
const held: ElectionEvent = { type: "lease.held", holder: "other" };

const leafOf = (value: unknown): string => JSON.stringify(value).match(/(\w+)"?\}*$/)?.[1] ?? "";

describe.each(["by XState", "by the table"] as const)("the election machine, %s:", (way) => {
  function start() {
    const done: string[] = [];
    const note = (name: string) => () => void done.push(name);
    const clock = new SimulatedClock();
    const machine = electionMachine.provide({
      actions: {
        attemptLease: note("attempt"),
        beginLeading: note("begin"),
        endLeading: note("end"),
        releaseLease: note("release"),
        reportFollowing: note("following"),
        reportLost: note("lost"),
        reportStopped: note("stopped"),
      },
    });
    const options = { input: { retryMs: 2_000, renewDeadlineMs: 5_000 }, clock };
    const actor =
      way === "by XState" ? createActor(machine, options) : createActor(createTableLogic(machine), options);
    actor.start();
    const send = (...events: readonly ElectionEvent[]): void => {
      for (const event of events) actor.send(event);
    };
    return { actor, clock, done, send, state: () => leafOf(actor.getSnapshot().value) };
  }

  test("a program that is refused asks again after the retry period", () => {
    const { clock, done, send, state } = start();
    send(held);
    clock.increment(1_999);
    expect(state()).toBe("waiting");
    clock.increment(1);
    expect(done).toEqual(["attempt", "following", "attempt"]);
    send(failed);
    expect(state()).toBe("waiting");
  });

  test("a leader renews each retry period and begins once", () => {
    const { clock, done, send, state } = start();
    send(granted);
    for (let renewals = 0; renewals < 10; renewals++) {
      clock.increment(2_000);
      expect(state()).toBe("renewing");
      send(granted);
      expect(state()).toBe("idle");
    }
    expect(done).toEqual(["attempt", "begin", ...Array(10).fill("attempt")]);
  });

  test("a leader whose renewals fail ends at the deadline, not before, and asks again", () => {
    const { clock, done, send, state } = start();
    send(granted);
    clock.increment(2_000);
    send(failed);
    clock.increment(2_000);
    send(failed);
    clock.increment(999);
    expect(done).not.toContain("end");
    clock.increment(1);
    expect(done.slice(-3)).toEqual(["end", "lost", "following"]);
    clock.increment(2_000);
    expect(state()).toBe("asking");
  });

  test("a leader whose renewal gets no answer ends at the deadline", () => {
    const { clock, done, send } = start();
    send({ type: "lease.granted", tookMs: 1_500 });
    clock.increment(3_499);
    expect(done).not.toContain("end");
    clock.increment(1);
    expect(done).toContain("end");
    // The answer that comes later is not a grant.
    send(granted);
    expect(done.filter((name) => name === "begin").length).toBe(1);
  });

  test("a leader ends at once when another program has the lease", () => {
    const { actor, clock, done, send } = start();
    send(granted);
    clock.increment(2_000);
    send(held);
    expect(done.slice(-3)).toEqual(["end", "lost", "following"]);
    expect(actor.getSnapshot().context.refusal).toBe("other has the lease");
  });

  test("only a leader gives the lease back when it stops, after it has ended its work", () => {
    const leader = start();
    leader.send(granted, { type: "stop" });
    expect(leader.done).toEqual(["attempt", "begin", "end", "release", "stopped"]);
    const follower = start();
    follower.send(held, { type: "stop" });
    expect(follower.done).toEqual(["attempt", "following", "stopped"]);
  });
});

describe.each(["by XState", "by the table"] as const)("the operator machine, %s:", (way) => {
  function start() {
    const done: string[] = [];
    const note = (name: string) => () => void done.push(name);
    const clock = new SimulatedClock();
    const machine = operatorMachine.provide({
      actions: {
        installCrds: note("install"),
        awaitEstablished: note("await"),
        keepPodInfos: note("keep"),
        endWork: note("end"),
        reportServing: note("serving"),
        reportFailed: note("failed"),
      },
    });
    const actor =
      way === "by XState"
        ? createActor(machine, { clock })
        : createActor(createTableLogic(machine), { clock, input: undefined });
    actor.start();
    const send = (...types: readonly Exclude<OperatorEvent["type"], "work.failed">[]): void => {
      for (const type of types) actor.send({ type });
    };
    const fail = (reason: string): void => actor.send({ type: "work.failed", reason });
    return { actor, clock, done, send, fail, state: () => leafOf(actor.getSnapshot().value) };
  }

  test("a follower does nothing", () => {
    const { clock, done, state } = start();
    clock.increment(100_000);
    expect([state(), ...done]).toEqual(["following"]);
  });

  test("a leader installs, waits and serves", () => {
    const { done, send, state } = start();
    send("leader.gained", "crds.installed", "crds.established");
    expect(state()).toBe("serving");
    expect(done).toEqual(["install", "await", "serving", "keep"]);
  });

  test.each(["installing", "establishing", "serving"])(
    "a leader that loses the lease ends its work: %s",
    (at) => {
      const { done, send, state } = start();
      send("leader.gained");
      if (at !== "installing") send("crds.installed");
      if (at === "serving") send("crds.established");
      expect(state()).toBe(at);
      send("leader.lost");
      expect([state(), done.at(-1)]).toEqual(["following", "end"]);
      send("crds.installed", "crds.established");
      expect(state()).toBe("following");
    },
  );

  test("a leader whose work fails begins again, with growing pauses up to 30 s", () => {
    const { actor, clock, done, send, fail, state } = start();
    send("leader.gained");
    for (const pauseMs of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      fail("forbidden");
      expect([state(), actor.getSnapshot().context.problem]).toEqual(["backingOff", "forbidden"]);
      clock.increment(pauseMs - 1);
      expect(state()).toBe("backingOff");
      clock.increment(1);
      expect(state()).toBe("installing");
    }
    expect(done.slice(0, 4)).toEqual(["install", "end", "failed", "install"]);
    send("crds.installed", "crds.established");
    expect(actor.getSnapshot().context).toEqual({ failures: 0, problem: undefined });
  });

  test("kinds that are not served after 60 s are a failure", () => {
    const { actor, clock, send, state } = start();
    send("leader.gained", "crds.installed");
    clock.increment(59_999);
    expect(state()).toBe("establishing");
    clock.increment(1);
    expect(state()).toBe("backingOff");
    expect(actor.getSnapshot().context.problem).toContain("not Established");
  });

  test("a pause ends with the lease", () => {
    const { clock, done, send, fail, state } = start();
    send("leader.gained");
    fail("forbidden");
    send("leader.lost");
    clock.increment(60_000);
    expect(state()).toBe("following");
    expect(done.filter((name) => name === "install").length).toBe(1);
  });
});
