// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import type { PageMessage } from "./messages.ts";
import { createStore } from "./store.ts";

const hello = (changes: { readonly actors?: number; readonly missed?: number } = {}): PageMessage => ({
  kind: "hello",
  sequence: 0,
  boot: "b",
  missed: 0,
  actors: undefined,
  program: "tetragon",
  machines: ["pod", "container"],
  ...changes,
});
const start = (sessionId: string, value: unknown = undefined): PageMessage => ({
  kind: "actor",
  ...{ sequence: 1, sessionId, parentId: undefined, name: `container:${sessionId}`, machine: "container" },
  ...{ atMs: 100, changedMs: 100 },
  snapshot: { status: "active", value, context: {} },
});
const snapshot = (sessionId: string, value: unknown, atMs: number, status = "active"): PageMessage => ({
  kind: "snapshot",
  ...{ sequence: 2, sessionId, atMs, eventType: "go" },
  snapshot: { status, value, context: {} },
});

function open(bounds = { maxEnded: 2, maxSteps: 3 }) {
  const store = createStore(bounds);
  return { store, apply: (...messages: readonly PageMessage[]) => messages.forEach(store.apply) };
}

describe("the store", () => {
  test("has the machines of the program before there are actors", () => {
    const { store, apply } = open();
    apply(hello());
    expect([store.machines(), store.program()]).toEqual([["pod", "container"], "tetragon"]);
  });

  test("counts the actors in each state, also in the outer ones", () => {
    const { store, apply } = open();
    apply(start("a", { connected: "serving" }), start("b", { connected: "serving" }));
    expect(store.countOf("container", "connected")).toEqual({ living: 2, ended: 0 });
    apply(snapshot("a", "lost", 101), snapshot("b", "gone", 102, "done"));
    expect(store.countOf("container", "connected.serving")).toEqual({ living: 0, ended: 0 });
    expect(store.countOf("container", "lost")).toEqual({ living: 1, ended: 0 });
    expect(store.countOf("container", "gone")).toEqual({ living: 0, ended: 1 });
  });

  test("has a timeline with the payload of each event, and the time in each state", () => {
    const { store, apply } = open();
    apply(start("a", "seen"));
    apply({ kind: "event", sequence: 2, sessionId: "a", event: { type: "go", by: "c" } });
    apply(snapshot("a", "seen", 104), snapshot("a", "placed", 110), snapshot("a", "released", 130));
    expect(store.actor("a")?.steps).toEqual([
      { atMs: 104, event: "go", payload: { type: "go", by: "c" }, from: "seen", to: "seen", inStateMs: 4 },
      { atMs: 110, event: "go", payload: undefined, from: "seen", to: "placed", inStateMs: 10 },
      { atMs: 130, event: "go", payload: undefined, from: "placed", to: "released", inStateMs: 20 },
    ]);
    expect(store.takeTransitions().map(({ to }) => to)).toEqual([["placed"], ["released"]]);
    expect(store.takeTransitions()).toEqual([]);
  });

  test("keeps the last steps, and says how many it dropped", () => {
    const { store, apply } = open();
    apply(start("a", "seen"));
    for (let at = 0; at < 5; at++) apply(snapshot("a", `s${at}`, 100 + at));
    const { steps = [], droppedSteps } = store.actor("a") ?? {};
    expect([steps.map(({ to }) => to), droppedSteps]).toEqual([["s2", "s3", "s4"], 2]);
  });

  test("drops the oldest of the actors that have ended", () => {
    const { store, apply } = open();
    for (const id of ["a", "b", "c", "d"]) apply(start(id, "seen"));
    for (const id of ["b", "a", "c"]) apply(snapshot(id, "gone", 101, "done"));
    expect([...store.actors()].map(({ sessionId }) => sessionId)).toEqual(["a", "c", "d"]);
    expect(store.countOf("container", "gone")).toEqual({ living: 0, ended: 2 });
  });

  test("begins again where actors follow, and keeps what it has where events follow", () => {
    const { store, apply } = open();
    apply(hello({ actors: 1 }), start("a", "seen"));
    apply(hello());
    expect([...store.actors()].length).toBe(1);
    apply(hello({ actors: 0, missed: 7 }));
    expect([[...store.actors()].length, store.missed()]).toEqual([0, 7]);
    expect(store.countOf("container", "seen")).toEqual({ living: 0, ended: 0 });
  });
});
