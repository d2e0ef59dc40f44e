// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { createActor, setup } from "xstate";
import { createRecorder, type RecorderOptions } from "./recorder.ts";

const lamp = setup({
  types: { context: {} as { readonly name: string }, input: {} as { readonly name: string } },
  actions: { hum: () => {} },
}).createMachine({
  id: "lamp",
  context: ({ input }) => input,
  initial: "off",
  states: {
    off: { on: { press: { target: "on", actions: "hum" } } },
    on: { on: { press: "off", smash: "broken" } },
    broken: { type: "final" },
  },
});

function open(bounds: Partial<RecorderOptions["bounds"]> = {}) {
  let now = 1000;
  let wakeUps = 0;
  const recorder = createRecorder({
    nowMs: () => now++,
    bounds: { maxEvents: 100, maxPayload: 1_000_000, maxEnded: 2, maxPending: 50, ...bounds },
    onPending: () => wakeUps++,
  });
  const start = (id: string) => {
    const actor = createActor(lamp, { id, input: { name: id }, inspect: recorder.inspect });
    actor.start();
    return actor;
  };
  return { recorder, start, wakeUps: () => wakeUps };
}

describe("the recorder", () => {
  test("has actors with their states, and what happened in order", () => {
    const { recorder, start } = open();
    const actor = start("a");
    actor.send({ type: "press" });
    const events = recorder.flush();
    expect(events.map(({ sequence, type, what, state }) => [sequence, type, what, state])).toEqual([
      [1, "@xstate.actor", "", ""],
      [2, "@xstate.event", "xstate.init", ""],
      [3, "@xstate.snapshot", "xstate.init", "off"],
      [4, "@xstate.event", "press", ""],
      [5, "@xstate.snapshot", "press", "on"],
    ]);
    const snapshots = events.filter(({ type }) => type === "@xstate.snapshot");
    expect(snapshots.map(({ from, fromSinceMs }) => [from, fromSinceMs])).toEqual([
      ["", events[0]?.atMs ?? 0],
      ["off", snapshots[0]?.atMs ?? 0],
    ]);
    expect(events.at(-1)).toMatchObject({ name: "a", machine: "lamp", sessionId: actor.sessionId });
    expect(JSON.parse(events.at(-1)?.payload ?? "")).toMatchObject({ value: "on", context: { name: "a" } });
    const [record, ...others] = recorder.actors();
    expect(others).toEqual([]);
    expect(record).toMatchObject({ name: "a", state: "on", hasEnded: false, sinceMs: events[0]?.atMs });
    expect(record?.changedMs).toBe(events.at(-1)?.atMs ?? 0);
    expect(JSON.parse(record?.snapshot() ?? "")).toMatchObject({ value: "on" });
  });

  test("writes nothing while a machine waits for it, and asks once to be flushed", () => {
    const { recorder, start, wakeUps } = open();
    start("a").send({ type: "press" });
    expect(recorder.lastSequence()).toBe(0);
    expect(wakeUps()).toBe(1);
    recorder.flush();
    start("b");
    expect(wakeUps()).toBe(2);
  });

  test("writes as many notes as it is asked to, and asks again for the rest", () => {
    const { recorder, start, wakeUps } = open();
    start("a").send({ type: "press" });
    expect(recorder.flush(2).map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect(wakeUps()).toBe(2);
    expect(recorder.flush(3).map(({ sequence }) => sequence)).toEqual([3, 4, 5]);
    expect(wakeUps()).toBe(2);
    start("b");
    expect(wakeUps()).toBe(3);
  });

  test("flushes by itself when too many notes wait", () => {
    const { recorder, start } = open({ maxPending: 4 });
    start("a").send({ type: "press" });
    expect(recorder.lastSequence()).toBe(5);
  });

  test("returns at the next flush what it has written by itself, once", () => {
    const { recorder, start, wakeUps } = open({ maxPending: 4 });
    start("a").send({ type: "press" });
    expect(recorder.flush().map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
    expect(recorder.flush()).toEqual([]);
    expect(wakeUps()).toBe(1);
  });

  test("keeps the time that a report says, for what happened before", () => {
    const { recorder } = open();
    const actor = createActor(lamp, {
      id: "a",
      input: { name: "a" },
      inspect: (one) => recorder.inspect(one, 500),
    });
    actor.start();
    expect(recorder.flush().map(({ atMs }) => atMs)).toEqual([500, 500, 500]);
    expect([...recorder.actors()]).toMatchObject([{ sinceMs: 500, changedMs: 500 }]);
  });

  test("forgets the oldest of those that have ended", () => {
    const { recorder, start } = open();
    for (const id of ["a", "b", "c"]) {
      const actor = start(id);
      actor.send({ type: "press" });
      actor.send({ type: "smash" });
    }
    start("d");
    recorder.flush();
    expect([...recorder.actors()].map(({ name, state, hasEnded }) => [name, state, hasEnded])).toEqual([
      ["d", "off", false],
      ["b", "broken", true],
      ["c", "broken", true],
    ]);
  });

  test("a reader that comes back gets what it missed, and how much is gone", () => {
    const { recorder, start } = open({ maxEvents: 4 });
    const actor = start("a");
    recorder.flush();
    const seen = recorder.lastSequence();
    actor.send({ type: "press" });
    recorder.flush();
    expect(recorder.eventsAfter(seen)).toMatchObject({ missed: 0, events: [{ what: "press" }, {}] });
    actor.send({ type: "press" });
    actor.send({ type: "press" });
    recorder.flush();
    const later = recorder.eventsAfter(seen);
    expect(later.events.length).toBe(4);
    expect(later.missed).toBe(recorder.lastSequence() - seen - 4);
    expect(recorder.eventsAfter(recorder.lastSequence())).toEqual({ events: [], missed: 0 });
    // The numbers of an earlier process.
    expect(recorder.eventsAfter(1_000_000).events.length).toBe(4);
  });

  test("bounds the size of what it keeps", () => {
    const { recorder, start } = open({ maxPayload: 2000 });
    const actor = start("x".repeat(400));
    for (let at = 0; at < 50; at++) actor.send({ type: "press" });
    recorder.flush();
    const { events } = recorder.eventsAfter(0);
    const size = events.reduce((sum, { payload }) => sum + payload.length, 0);
    expect(size).toBeLessThanOrEqual(2000);
    expect(events.at(-1)?.sequence).toBe(recorder.lastSequence());
  });
});
