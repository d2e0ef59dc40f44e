// SPDX-License-Identifier: Apache-2.0
// The small parts of the page: states, facts, search, rows in sight, times, resumption.
import { describe, expect, test } from "bun:test";
import { listTexts, readFacts, readFailure } from "./actor-facts.ts";
import { splitCode } from "./code-parts.ts";
import { moveByKey, scrollToRow, toRowRange } from "./list-window.ts";
import type { PageMessage } from "./messages.ts";
import { advance, toDelayMs, toSocketAddress } from "./resume.ts";
import { findActors } from "./search.ts";
import { findBusiest } from "./state-counts.ts";
import { findTakenLines, listStateIds, toTone } from "./state-ids.ts";
import { renderDuration } from "./time-format.ts";

test.each([
  ["a command", "see `tetragon status`.", ["see ", "<tetragon status>", "."]],
  ["two at the ends", "`a` or `b`", ["<a>", " or ", "<b>"]],
  ["none", "see the log", ["see the log"]],
  ["one backtick", "5` long", ["5` long"]],
  ["nothing between", "``", ["``"]],
  ["nothing", "", []],
])("a text with commands between backticks: %s", (_, text, parts) => {
  expect(splitCode(text).map((part) => (part.isCode ? `<${part.text}>` : part.text))).toEqual(parts);
});

test.each([
  ["the one with the most actors", { seen: 1, released: 7, gone: 2 }, "released"],
  ["the first of two", { seen: 2, gone: 2 }, "seen"],
  ["none without actors", { seen: 0 }, undefined],
])("the busiest state: %s", (_, counts, busiest) => {
  const all = new Map<string, number>(Object.entries(counts));
  expect(findBusiest(all.keys(), (state) => all.get(state) ?? 0)).toBe(busiest);
});

describe("states", () => {
  test.each([
    ["seen", ["seen"]],
    [
      { connected: { handshaking: "dialing" } },
      ["connected", "connected.handshaking", "connected.handshaking.dialing"],
    ],
    [undefined, []],
    [7, []],
  ])("of the value %p", (value, ids) => {
    expect(listStateIds(value)).toEqual(ids);
  });

  const lines = [
    { source: "active", target: "failCheck" },
    { source: "active.loading", target: "active.reaching" },
    { source: "active.loading", target: "succeeded" },
    { source: "seen", target: "seen" },
  ];
  test.each([
    ["a line between two states", ["active", "active.loading"], ["succeeded"], [2]],
    ["a line of the outer state", ["active", "active.loading"], ["failCheck"], [0]],
    [
      "a line into an outer state",
      ["active", "active.loading"],
      ["active", "active.reaching", "active.reaching.connecting"],
      [1],
    ],
    ["a line back to the same state", ["seen"], ["seen"], [3]],
    ["no line", ["failCheck"], ["seen"], []],
  ])("%s", (_, from, to, taken) => {
    expect(findTakenLines(lines, from, to).map((line) => lines.indexOf(line))).toEqual(taken);
  });

  test("have a tone by their innermost name", () => {
    expect(["connected.serving", "failed", "gone", "placed"].map(toTone)).toEqual([
      "good",
      "bad",
      "over",
      "busy",
    ]);
  });
});

describe("facts", () => {
  const pod = { namespace: "shop", name: "web-0", labels: { app: "web" } };
  test.each([
    ["a container", { report: { containerName: "web" }, pod }, { title: "web", place: "shop/web-0" }],
    [
      "a container whose pod is not identified",
      { report: { containerId: "c1", podNamespace: "shop" } },
      { title: "c1", place: "shop" },
    ],
    ["a pod", { identity: pod }, { title: "web-0", place: "shop" }],
    ["another actor", { attempts: 3 }, { title: "actor", place: "" }],
    ["a context of another type", "x", { title: "actor", place: "" }],
  ])("of %s", (_, context, facts) => {
    expect(readFacts("actor", context)).toEqual(facts);
  });

  test("have the failure", () => {
    const failure = readFailure({ failure: { kind: "cgroup-missing", message: "why\u202E" } });
    expect(failure).toMatchObject({ kind: "cgroup-missing", message: "why\\u{202e}" });
    expect(failure?.what).toBe("The agent did not find the container's cgroup.");
    expect(readFailure({ failure: undefined })).toBeUndefined();
  });

  test("show invisible characters, which could make a name look like another one", () => {
    const report = { containerName: "\u202Eevil\u0000", podName: "a\nb\u200B" };
    expect(readFacts("a", { report })).toMatchObject({
      title: "\\u{202e}evil\\u{0}",
      place: "a\nb\\u{200b}",
    });
  });

  test("are found by each text of the context, but only by so much of it", () => {
    expect(listTexts({ pod }).split("\n")).toEqual(["namespace=shop", "name=web-0", "app=web"]);
    expect(listTexts({ long: "x".repeat(100_000) }).length).toBeLessThan(5000);
  });
});

describe("search", () => {
  const actors = [
    { searchText: "web-0\nshop", machine: "pod", hasEnded: false, states: ["known"] },
    { searchText: "web\nshop", machine: "container", hasEnded: true, states: ["a", "a.Known"] },
  ];
  test.each([
    ["all words", { text: " SHOP web-0 " }, 1],
    ["the innermost state", { text: "web a.known" }, 1],
    ["no words", {}, 2],
    ["a machine", { machine: "container" }, 1],
    ["the living ones", { includesEnded: false }, 1],
    ["words that are not there", { text: "shop db" }, 0],
  ])("for %s", (_, query, count) => {
    expect(findActors(actors, { text: "", machine: "", includesEnded: true, ...query }).length).toBe(count);
  });
});

describe("rows of a long list", () => {
  const viewport = { rows: 10_000, rowHeight: 50, scrollTop: 0, height: 500 };
  test.each([
    ["at the beginning", {}, { first: 0, end: 16 }],
    ["in the middle", { scrollTop: 100_020 }, { first: 1994, end: 2017 }],
    ["at the end", { scrollTop: 499_500 }, { first: 9984, end: 10_000 }],
    ["behind the end of a list that became shorter", { rows: 3, scrollTop: 499_500 }, { first: 3, end: 3 }],
    ["of an empty list", { rows: 0 }, { first: 0, end: 0 }],
  ])("%s", (_, changes, range) => {
    expect(toRowRange({ ...viewport, ...changes })).toEqual(range);
  });

  test("come into sight with the shortest scroll", () => {
    expect([0, 9, 10, 5].map((row) => scrollToRow(viewport, row))).toEqual([0, 0, 50, 0]);
    expect(scrollToRow({ ...viewport, scrollTop: 1000 }, 4)).toBe(200);
  });

  test.each([
    ["ArrowDown", -1, 0],
    ["ArrowDown", 9999, 9999],
    ["ArrowUp", -1, 0],
    ["ArrowUp", 0, 0],
    ["PageDown", 0, 9],
    ["PageUp", 3, 0],
    ["End", 0, 9999],
    ["Home", 77, 0],
    ["a", 0, undefined],
    ["constructor", 0, undefined],
  ])("%s from row %p", (key, row, target) => {
    expect(moveByKey(key, row, viewport)).toBe(target);
  });
});

test.each([
  [0.424, "0.42 ms"],
  [12.4, "12 ms"],
  [3400, "3.4 s"],
  [42_000, "42 s"],
  [125_000, "2 min 5 s"],
  [3 * 3_600_000 + 125_000, "3 h 2 min"],
  [50 * 3_600_000, "2 d 2 h"],
  [-1, "0.00 ms"],
])("%p ms is %s", (ms, text) => {
  expect(renderDuration(ms)).toBe(text);
});

describe("a connection that is made again", () => {
  const hello = (actors: number | undefined, boot = "b"): PageMessage => ({
    kind: "hello",
    ...{ sequence: 5, boot, missed: 0, actors, program: "", machines: [], explains: false },
  });
  const event = (sequence: number): PageMessage => ({
    kind: "event",
    sequence,
    sessionId: "a",
    event: {},
    length: 1,
  });
  const follow = (...messages: readonly PageMessage[]) =>
    messages.reduce<ReturnType<typeof advance>>(advance, undefined);
  const addressOf = (...messages: readonly PageMessage[]) =>
    toSocketAddress("http://127.0.0.1:9101", follow(...messages));

  test("begins at the beginning", () => {
    expect(addressOf()).toBe("ws://127.0.0.1:9101/?after=0&boot=&definitions=none");
  });

  test("goes on after the last event", () => {
    expect(addressOf(hello(0), event(6), event(7))).toContain("after=7&boot=b");
    expect(addressOf(hello(0), event(6), hello(undefined))).toContain("after=6&boot=b");
  });

  test("begins at the beginning where actors were missing", () => {
    expect(addressOf(hello(2), event(5))).toContain("after=0&boot=&");
    expect(addressOf(hello(2), event(5), event(5))).toContain("after=5&boot=b");
  });

  test("waits longer each time, up to 8 s", () => {
    expect([0, 1, 2, 50].map(toDelayMs)).toEqual([250, 500, 1000, 8000]);
  });
});
