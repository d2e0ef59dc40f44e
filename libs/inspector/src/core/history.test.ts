// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { createHistory } from "./history.ts";

function open(maxEvents: number) {
  const history = createHistory({ maxEvents, maxPayload: 1_000_000 });
  const about = { sessionId: "x:1", rootId: "x:1", parentId: undefined, sourceId: undefined, name: "a" };
  const add = (): void => {
    const event = { ...about, type: "@xstate.event", machine: "lamp", what: "press" } as const; // const: the type
    history.add({ ...event, state: "", from: "", fromSinceMs: 1, atMs: 1, payload: "{}" });
  };
  return { history, add };
}

describe("the events before a number", () => {
  const { history, add } = open(5);
  for (let at = 0; at < 8; at++) add();
  const read = (sequence: number, limit: number) => {
    const { events, oldest } = history.before(sequence, limit);
    return [events.map((event) => event.sequence), oldest];
  };

  test.each([
    ["all that are kept", 9, 10, [4, 5, 6, 7, 8]],
    ["the last ones", 9, 2, [7, 8]],
    ["those of an earlier part", 7, 2, [5, 6]],
    ["fewer where the kept ones begin", 6, 10, [4, 5]],
    ["none before the first kept one", 4, 10, []],
    ["none before one that is gone", 2, 10, []],
    ["all for a number of the future", 1000, 10, [4, 5, 6, 7, 8]],
  ])("are %s", (_, before, limit, events) => {
    expect(read(before, limit)).toEqual([events, 4]);
  });

  test("are none without events", () => {
    expect(open(5).history.before(7, 10)).toEqual({ events: [], oldest: 1 });
  });
});
