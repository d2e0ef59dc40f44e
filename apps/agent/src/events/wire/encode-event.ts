// SPDX-License-Identifier: Apache-2.0
// One event as messages: made when the first client or the export wants it, and encoded once for each choice of fields.

import { GetEventsResponse, toEventJson } from "@rthooks/proto/events";
import type { AgentEvent } from "../core/agent-event.ts";
import type { EventNode } from "../core/thread-messages.ts";
import { cutMessage } from "./cut-message.ts";
import { toEventMessage } from "./event-message.ts";
import type { EventWishes } from "./read-request.ts";

export interface EventEncoder {
  toBytes(wishes: EventFields): Uint8Array;
  /** A line of JSON without its end. */
  toJson(wishes: EventFields): string;
}

type EventFields = Pick<EventWishes, "fieldsKey" | "cut">;

/** All fields. */
export const wholeEvent: EventFields = { fieldsKey: "", cut: (_, event) => event };

/** `type`: the event's number in the API. */
export function createEventEncoder(event: AgentEvent, type: number, node: EventNode): EventEncoder {
  let whole: GetEventsResponse | undefined;
  const toMessage = ({ fieldsKey, cut }: EventFields): GetEventsResponse => {
    whole ??= toEventMessage(event, node);
    return fieldsKey === "" ? whole : cutMessage(whole, type, cut);
  };
  return {
    toBytes: (wishes) => GetEventsResponse.encode(toMessage(wishes)).finish(),
    toJson: (wishes) => toEventJson(toMessage(wishes)),
  };
}
