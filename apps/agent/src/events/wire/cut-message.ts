// SPDX-License-Identifier: Apache-2.0

import type { GetEventsResponse } from "@rthooks/proto/events";
import type { FieldCut } from "../core/field-filter.ts";

/** The event of this type with fewer fields. What is beside the event, such as its time, stays. */
export function cutMessage(message: GetEventsResponse, type: number, cut: FieldCut): GetEventsResponse {
  const { event } = message;
  if (event === undefined) return message;
  const { $case: member, ...rest } = event;
  const content: unknown = Object.values(rest)[0];
  if (typeof content !== "object" || content === null) return message;
  // A generated message is a plain object of its fields, and `messageForm` gives each a value of its type.
  const fields: unknown = cut(type, content as Readonly<Record<string, unknown>>);
  const kept: unknown = { $case: member, [member]: fields };
  return { ...message, event: kept as GetEventsResponse["event"] };
}
