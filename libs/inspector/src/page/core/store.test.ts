// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import type { PageMessage } from "./messages.ts";
import { listPath } from "./state-ids.ts";
import { createStore, type StoreBounds } from "./store.ts";

const hello = (changes: { readonly actors?: number; readonly missed?: number } = {}): PageMessage => ({
  kind: "hello",
  sequence: 0,
  boot: "b",
  missed: 0,
  actors: undefined,
  program: "tetragon",
  machines: ["pod", "container"],
  explains: false,
  ...changes,
});
const identityOf = (sessionId: string) => ({
  ...{ sessionId, parentId: undefined, name: `container:${sessionId}`, machine: "container" },
});
const start = (sessionId: string, value: unknown = undefined, status = "active"): PageMessage => ({
  kind: "actor",
  ...identityOf(sessionId),
  ...{ sequence: 1, atMs: 100, changedMs: 100 },
  snapshot: { status, value, context: {} },
});
/** At 100 ms and as many as its number. */
const snapshot = (sequence: number, sessionId: string, from: string, value: unknown, status = "active") =>
  ({
    kind: "snapshot",
    ...identityOf(sessionId),
    ...{ sequence, atMs: 100 + sequence, eventType: "go", length: 10 },
    ...{ from: listPath(from), fromSinceMs: 99 + sequence },
    snapshot: { status, value, context: {} },
  }) as const; // const: the kind
const event = (sequence: number, sessionId: string, by: string): PageMessage => ({
  kind: "event",
  ...{ sequence, sessionId, event: { type: "go", by }, length: 5 },
});

function open(bounds: Partial<StoreBounds> = {}) {
  const store = createStore({ maxEnded: 2, maxSteps: 100, maxLength: 10_000, ...bounds });
  const stepsOf = (sessionId: string) => store.trackOf(sessionId).steps.map(({ sequence }) => sequence);
  return { store, stepsOf, apply: (...messages: readonly PageMessage[]) => messages.forEach(store.apply) };
}

describe("the store", () => {
  test("has the machines of the program before there are actors", () => {
    const { store, apply } = open();
    apply(hello());
    expect([store.machines(), store.program()]).toEqual([["pod", "container"], "tetragon"]);
  });

  test("has no actor without a state: that has not started, or has no machine", () => {
    const { store, stepsOf, apply } = open();
    apply(start("a"), event(2, "a", "c"), { ...snapshot(3, "a", "", undefined), machine: "node" });
    expect([[...store.actors()], store.machines(), stepsOf("a"), store.log.size()]).toEqual([[], [], [], 0]);
    store.prepend([{ ...snapshot(0, "a", "", undefined), machine: "node" }]);
    expect([[...store.actors()], stepsOf("a")]).toEqual([[], []]);
    apply(snapshot(4, "a", "", "seen"));
    expect([[...store.actors()].length, stepsOf("a")]).toEqual([1, [4]]);
  });

  test("counts the actors in each state, also in the outer ones", () => {
    const { store, apply } = open();
    apply(start("a", { connected: "serving" }), start("b", { connected: "serving" }));
    expect(store.countOf("container", "connected")).toEqual({ living: 2, ended: 0 });
    apply(snapshot(1, "a", "connected.serving", "lost"));
    apply(snapshot(2, "b", "connected.serving", "gone", "done"));
    expect(store.countOf("container", "connected.serving")).toEqual({ living: 0, ended: 0 });
    expect(store.countOf("container", "lost")).toEqual({ living: 1, ended: 0 });
    expect(store.countOf("container", "gone")).toEqual({ living: 0, ended: 1 });
  });

  test("has a timeline with the payload of each event, and the time in each state", () => {
    const { store, apply } = open();
    apply(start("a", "seen"), event(2, "a", "c"));
    apply(snapshot(3, "a", "seen", "seen"), snapshot(4, "a", "seen", { placed: "x" }));
    const about = { sessionId: "a", machine: "container", event: "go", hasEnded: false, context: {} };
    const payload = { type: "go", by: "c" };
    expect(store.trackOf("a").steps).toEqual([
      {
        ...about,
        sequence: 3,
        atMs: 103,
        payload,
        from: ["seen"],
        fromSinceMs: 102,
        to: ["seen"],
        length: 15,
      },
      {
        ...{ ...about, sequence: 4, atMs: 104, payload: undefined },
        ...{ from: ["seen"], fromSinceMs: 103, to: ["placed", "placed.x"], length: 10 },
      },
    ]);
    expect(store.actor("a")).toMatchObject({ states: ["placed", "placed.x"], changedMs: 104, sinceMs: 100 });
    expect(store.takeMoves().map(({ sequence }) => sequence)).toEqual([4]);
    expect(store.takeMoves()).toEqual([]);
  });

  test("drops the oldest steps of all actors, and says how many", () => {
    const { store, stepsOf, apply } = open({ maxSteps: 3 });
    apply(start("a", "s"), start("b", "s"));
    for (const [at, id] of ["a", "b", "a", "a", "b"].entries()) apply(snapshot(at, id, "s", "s"));
    expect([stepsOf("a"), stepsOf("b"), store.log.size()]).toEqual([[2, 3], [4], 3]);
    expect([store.trackOf("a").dropped, store.trackOf("b").dropped]).toEqual([1, 1]);
  });

  test("keeps ended actors while it has steps of them, and of the others the last ones", () => {
    const { store, apply } = open({ maxSteps: 2, maxEnded: 1 });
    const ids = () => [...store.actors()].map(({ sessionId }) => sessionId);
    apply(start("a", "gone", "done"), start("b", "gone", "done"));
    expect(ids()).toEqual(["b"]);
    for (const [at, id] of ["c", "d", "e"].entries())
      apply(start(id, "seen"), snapshot(at, id, "seen", "gone", "done"));
    expect(ids()).toEqual(["c", "d", "e"]);
    expect(store.countOf("container", "gone")).toEqual({ living: 0, ended: 3 });
  });

  test("begins again where actors follow, and keeps what it has where events follow", () => {
    const { store, stepsOf, apply } = open();
    apply(hello({ actors: 1 }), start("a", "seen"), snapshot(1, "a", "seen", "placed"));
    apply(hello());
    expect([[...store.actors()].length, stepsOf("a")]).toEqual([1, [1]]);
    apply(hello({ actors: 0, missed: 7 }));
    expect([[...store.actors()].length, store.missed(), store.log.size()]).toEqual([0, 7, 0]);
    expect(store.countOf("container", "placed")).toEqual({ living: 0, ended: 0 });
  });
});

describe("a part of the history", () => {
  test("comes before the steps of each actor, and does not change where the actor is", () => {
    const { store, stepsOf, apply } = open();
    apply(start("a", "placed"), snapshot(8, "a", "placed", "released"));
    expect(
      store.prepend([snapshot(5, "a", "seen", "placed"), snapshot(6, "b", "seen", "gone", "done")]),
    ).toBe(true);
    expect(store.prepend([snapshot(2, "a", "", "seen"), snapshot(3, "b", "", "seen")])).toBe(true);
    expect([stepsOf("a"), stepsOf("b")]).toEqual([
      [2, 5, 8],
      [3, 6],
    ]);
    expect(store.actor("a")?.states).toEqual(["released"]);
    expect([0, 1, 2, 3, 4].map((at) => store.log.at(at)?.sequence)).toEqual([2, 3, 5, 6, 8]);
  });

  test("brings the actors that the program has forgotten", () => {
    const { store, apply } = open({ maxEnded: 0 });
    apply(hello({ actors: 0 }));
    store.prepend([snapshot(6, "b", "seen", "gone", "done")]);
    store.prepend([snapshot(3, "b", "", "seen")]);
    expect(store.actor("b")).toMatchObject({
      ...identityOf("b"),
      states: ["gone"],
      hasEnded: true,
      sinceMs: 102,
    });
    expect(store.countOf("container", "gone")).toEqual({ living: 0, ended: 1 });
  });

  test("has the payload of an event whose snapshot is in a later part", () => {
    const { store } = open();
    store.prepend([snapshot(6, "b", "seen", "placed")]);
    store.prepend([event(5, "b", "c")]);
    expect(store.trackOf("b").steps[0]?.payload).toEqual({ type: "go", by: "c" });
    expect(store.log.at(0)?.payload).toEqual({ type: "go", by: "c" });
  });

  test("is taken as far as there is room, the latest steps first", () => {
    const { store, stepsOf, apply } = open({ maxSteps: 3 });
    apply(start("a", "seen"), snapshot(9, "a", "seen", "seen"));
    const part = [1, 2, 3].map((sequence) => snapshot(sequence, "b", "seen", "seen"));
    expect(store.prepend(part)).toBe(false);
    expect([stepsOf("a"), stepsOf("b")]).toEqual([[9], [2, 3]]);
    apply(snapshot(10, "a", "seen", "placed"));
    expect([stepsOf("a"), stepsOf("b")]).toEqual([[9, 10], [3]]);
  });
});
