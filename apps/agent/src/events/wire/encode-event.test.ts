// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { FieldFilterAction, GetEventsRequest, GetEventsResponse, toEventJson } from "@rthooks/proto/events";
import { must } from "@rthooks/result/must";
import type { AgentEvent } from "../core/agent-event.ts";
import { createEventEncoders, wholeEvent } from "./encode-event.ts";
import { child, exec, exit, match, node, parent } from "./event-message.fixture.ts";
import { toEventMessage } from "./event-message.ts";
import { readRequest } from "./read-request.ts";

const later = { ...child, refcnt: 3 };
const events: readonly AgentEvent[] = [
  ...[exec, match, exit, match, { ...match, process: later, parent: child }, { ...exit, process: later }],
  { ...exec, process: parent, parent: undefined },
  ...[{ kind: "lost", timeNs: 7n, count: 3n } as const, exec],
];

test("events about the same processes have the JSON and the bytes that each has alone", () => {
  const toEncoder = createEventEncoders(node);
  for (const event of events) {
    const message = toEventMessage(event, node);
    const encoder = toEncoder(event, 1);
    expect(encoder.toJson(wholeEvent)).toBe(toEventJson(message));
    expect(encoder.toBytes(wholeEvent)).toEqual(GetEventsResponse.encode(message).finish());
  }
});

test("who gets fewer fields of a process gets no more, whatever others got before", () => {
  const filter = { eventSet: [], fields: ["process.pid"], action: FieldFilterAction.INCLUDE };
  const bytes = GetEventsRequest.encode({
    ...{ allowList: [], denyList: [], aggregationOptions: undefined },
    fieldFilters: [{ ...filter, invertEventSet: undefined }],
  }).finish();
  const wishes = must(readRequest(bytes, () => 0));
  const toEncoder = createEventEncoders(node);
  for (const event of [exec, exit, exec]) {
    const encoder = toEncoder(event, 1);
    expect(JSON.parse(encoder.toJson(wholeEvent))).toHaveProperty([`process_${event.kind}`, "parent", "pid"]);
    expect(JSON.parse(encoder.toJson(wishes))).toMatchObject({
      [`process_${event.kind}`]: { process: { pid: child.pid } },
    });
    expect(encoder.toJson(wishes)).not.toContain("exec_id");
  }
});
