// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { renderActor, renderEvent, renderHello, renderHistoryHead } from "../../wire/stately-events.ts";
import { parseMessage } from "./messages.ts";

const about = { sessionId: "x:1", rootId: "x:0", parentId: "x:0", name: "container:c", machine: "container" };

test("the messages that the inspector writes", () => {
  const program = { program: "tetragon", machines: ["pod"], explains: true };
  const greeting = { boot: "b", sequence: 7, missed: 2, actors: 1, ...program };
  expect(parseMessage(renderHello(greeting))).toEqual({ kind: "hello", ...greeting });
  const actor = { ...about, state: "seen", sinceMs: 1.5, changedMs: 2.5, hasEnded: false };
  const text = renderActor({ ...actor, snapshot: () => '{"status":"active","value":"seen"}' }, new Map(), 7);
  expect(parseMessage(text)).toEqual({
    kind: "actor",
    ...{ sequence: 7, sessionId: "x:1", parentId: "x:0", name: "container:c", machine: "container" },
    ...{ atMs: 1.5, changedMs: 2.5 },
    snapshot: { status: "active", value: "seen", context: undefined },
  });
  const head = { boot: "b", program: "tetragon", machines: ["pod"], oldest: 3, first: 5, before: 9 };
  expect(parseMessage(renderHistoryHead(head))).toEqual({
    kind: "history",
    ...{ sequence: 0, boot: "b", oldest: 3, first: 5 },
  });
  const event = {
    ...about,
    sequence: 8,
    sourceId: undefined,
    what: "go",
    state: "placed",
    atMs: 3.5,
    from: "connected.serving",
    fromSinceMs: 2.5,
  };
  const went = renderEvent({ ...event, type: "@xstate.event", payload: '{"type":"go"}' }, new Map());
  expect(parseMessage(went)).toEqual({
    kind: "event",
    ...{ sequence: 8, sessionId: "x:1", event: { type: "go" }, length: went.length },
  });
  const payload = '{"status":"done","value":"placed","context":{"a":1}}';
  const placed = renderEvent({ ...event, type: "@xstate.snapshot", payload }, new Map());
  expect(parseMessage(placed)).toEqual({
    kind: "snapshot",
    ...{ sequence: 8, sessionId: "x:1", parentId: "x:0", name: "container:c", machine: "container" },
    ...{ atMs: 3.5, from: ["connected", "connected.serving"], fromSinceMs: 2.5, eventType: "go" },
    snapshot: { status: "done", value: "placed", context: { a: 1 } },
    length: placed.length,
  });
});

test.each(["", "{", "null", "7", "[]", '{"type":"@xstate.action"}'])("another text: %s", (text) => {
  expect(parseMessage(text)).toBeUndefined();
});
