// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { overviewExample as overview } from "@rthooks/explain/examples";
import { createPlayer } from "./recording-player.ts";

const entryAt = (atMs: number) => ({ kind: "overview", atMs, overview }) as const; // const: the kind is a literal
const recording = {
  ...{ program: "tetragon", startedMs: 1000, endedMs: 3000, definitions: new Map() },
  entries: [entryAt(500), entryAt(1000), entryAt(2000), entryAt(2001)],
};

test("entries are due in their order, those from before the start at once", () => {
  const player = createPlayer(recording, 1);
  expect(player.take(0).map(({ atMs }) => atMs)).toEqual([500, 1000]);
  expect(player.nextMs()).toBe(1000);
  expect(player.take(999)).toEqual([]);
  expect(player.take(1500).map(({ atMs }) => atMs)).toEqual([2000, 2001]);
});

test("the end is due when the recording ended, also long after the last entry", () => {
  const player = createPlayer(recording, 1);
  player.take(1999);
  expect(player.nextMs()).toBe(2000);
  player.take(2000);
  expect(player.nextMs()).toBeUndefined();
});

test("at twice the speed all is due in half of the time", () => {
  const player = createPlayer(recording, 2);
  expect(player.take(500)).toHaveLength(3);
  expect(player.nextMs()).toBe(500.5);
});
