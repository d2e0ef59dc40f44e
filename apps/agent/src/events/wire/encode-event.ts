// SPDX-License-Identifier: Apache-2.0
// One event as messages: made when the first client or the export wants it, and encoded once for each choice of fields.
// Processes recur in events: their part is made once.

import { GetEventsResponse, toEventJson, toProcessJson } from "@rthooks/proto/events";
import type { AgentEvent } from "../core/agent-event.ts";
import { rememberAnswers } from "../core/remember-answers.ts";
import type { EventNode } from "../core/thread-messages.ts";
import { cutMessage } from "./cut-message.ts";
import { toEventMessage } from "./event-message.ts";
import { toProcessMessage } from "./process-message.ts";
import type { EventWishes } from "./read-request.ts";

export interface EventEncoder {
  toBytes(wishes: EventFields): Uint8Array;
  /** A line of JSON without its end. */
  toJson(wishes: EventFields): string;
}

type EventFields = Pick<EventWishes, "fieldsKey" | "cut">;

/** All fields. */
export const wholeEvent: EventFields = { fieldsKey: "", cut: (_, event) => event };

/** Processes whose part of an event is kept, and the characters of their JSON: a pod may have large labels. */
const maxProcesses = 512;
const maxCharacters = 4 * 1024 * 1024;

/** For events of the node. `type`: the event's number in the API. */
export function createEventEncoders(node: EventNode): (event: AgentEvent, type: number) => EventEncoder {
  const toProcess = rememberAnswers(maxProcesses, toProcessMessage);
  const toKnownJson = rememberAnswers(maxCharacters, toProcessJson, ({ length }) => length);
  return (event, type) => {
    let whole: GetEventsResponse | undefined;
    const toMessage = ({ fieldsKey, cut }: EventFields): GetEventsResponse => {
      whole ??= toEventMessage(event, node, toProcess);
      return fieldsKey === "" ? whole : cutMessage(whole, type, cut);
    };
    return {
      toBytes: (wishes) => GetEventsResponse.encode(toMessage(wishes)).finish(),
      // The processes of a message with fewer fields are new objects.
      toJson: (wishes) =>
        toEventJson(toMessage(wishes), wishes.fieldsKey === "" ? toKnownJson : toProcessJson),
    };
  };
}
