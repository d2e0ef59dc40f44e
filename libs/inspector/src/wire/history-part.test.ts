// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { createHistory } from "../core/history.ts";
import { listHistory, readHistoryRequest } from "./history-part.ts";

const history = createHistory({ maxEvents: 10, maxPayload: 1_000_000 });
const about = { sessionId: "x:1", rootId: "x:1", parentId: undefined, sourceId: undefined, name: "a" };
const moved = { state: "on", from: "off", fromSinceMs: 0.5, atMs: 1.5, payload: '{"value":"on"}' };
for (const type of ["@xstate.actor", "@xstate.event", "@xstate.event", "@xstate.snapshot"] as const)
  history.add({ ...about, ...moved, type, machine: "lamp", what: "press" });
const source = {
  ...{ boot: "b", program: "lamps", definitions: new Map([["lamp", '{"id":"lamp","states":{}}']]) },
  ...{ eventsBefore: history.before, settle: history.last },
};
const read = (query: string): readonly Readonly<Record<string, unknown>>[] =>
  Array.from(listHistory(readHistoryRequest(new URLSearchParams(query)), source), (line) => JSON.parse(line));

test("the head says which part it is, and whether there is an earlier one", () => {
  const [head, ...lines] = read("limit=2");
  expect(head).toEqual({
    ...{ type: "@rthooks.history", _version: "0.7.2", boot: "b", program: "lamps", machines: ["lamp"] },
    ...{ oldest: 1, first: 3, before: 5 },
  });
  expect(lines.map(({ sequence }) => sequence)).toEqual([3, 4]);
  expect(read("before=3&limit=2").map(({ type, first }) => [type, first])).toEqual([
    ["@rthooks.history", 1],
    ["@xstate.actor", undefined],
    ["@xstate.event", undefined],
  ]);
  expect(read("before=1")).toMatchObject([{ oldest: 1, first: 1, before: 1 }]);
});

test("the lines are the WebSocket's messages", () => {
  const [, actor, , , snapshot] = read("");
  expect(actor).toMatchObject({ sequence: 1, name: "a", definition: '{"id":"lamp","states":{}}' });
  expect(snapshot).toMatchObject({ from: "off", fromSinceMs: 0.5, event: { type: "press" } });
  expect(read("definitions=none")[1]).toMatchObject({ definition: '{"id":"lamp"}' });
});

test.each([
  ["", { before: Number.MAX_SAFE_INTEGER, limit: 1000 }],
  ["before=7&limit=3", { before: 7, limit: 3 }],
  ["before=x&limit=-1", { before: Number.MAX_SAFE_INTEGER, limit: 1000 }],
  ["limit=999999999", { limit: 20_000 }],
])("the request %p", (query, request) => {
  expect(readHistoryRequest(new URLSearchParams(query))).toMatchObject(request);
});
