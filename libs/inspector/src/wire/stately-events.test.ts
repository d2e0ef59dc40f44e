// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import type { RecordedEvent } from "../core/history.ts";
import { renderEvent } from "./stately-events.ts";

const event: RecordedEvent = {
  sequence: 7,
  type: "@xstate.snapshot",
  sessionId: "x:1",
  rootId: "x:0",
  parentId: "x:0",
  sourceId: undefined,
  name: "container:c1",
  machine: "container",
  what: "filter.added",
  state: "registered",
  from: "placed",
  fromSinceMs: 1_700_000_000_100.5,
  atMs: 1_700_000_000_123.75,
  payload: '{"status":"active","value":"registered"}',
};
const definitions = new Map([["container", '{"id":"container","states":{}}']]);
const read = (changes: Partial<RecordedEvent>): unknown =>
  JSON.parse(renderEvent({ ...event, ...changes }, definitions));

const about = {
  sessionId: "x:1",
  rootId: "x:0",
  createdAt: "1700000000123",
  id: "7",
  _version: "0.7.2",
  machine: "container",
  atMs: 1_700_000_000_123.75,
  sequence: 7,
};

test("a snapshot has the event that led to it", () => {
  expect(read({})).toEqual({
    ...about,
    type: "@xstate.snapshot",
    parentId: "x:0",
    name: "container:c1",
    from: "placed",
    fromSinceMs: 1_700_000_000_100.5,
    event: { type: "filter.added" },
    snapshot: { status: "active", value: "registered" },
  });
});

test("an event has its sender", () => {
  const payload = '{"type":"filter.added"}';
  expect(read({ type: "@xstate.event", payload, sourceId: "x:9" })).toEqual({
    ...about,
    type: "@xstate.event",
    sourceId: "x:9",
    event: { type: "filter.added" },
  });
});

test("an actor has the definition of its machine as text", () => {
  expect(read({ type: "@xstate.actor" })).toEqual({
    ...about,
    type: "@xstate.actor",
    parentId: "x:0",
    name: "container:c1",
    definition: '{"id":"container","states":{}}',
    snapshot: { status: "active" },
  });
  expect(read({ type: "@xstate.actor", machine: "other" })).toMatchObject({ definition: '{"id":"other"}' });
});
