// SPDX-License-Identifier: Apache-2.0

import { type Client, Metadata, type ServiceError } from "@grpc/grpc-js";
import { FineGuidanceSensorsDefinition } from "@rthooks/proto";
import { FieldFilterAction, GetEventsRequest, GetEventsResponse, toEventJson } from "@rthooks/proto/events";
import { grpcCode } from "@rthooks/proto/grpc-code";
import type { WireError } from "../../base/wire/service.ts";
import { eventTypes } from "../../events/core/event-subject.ts";
import { emptyFilter } from "../../events/wire/written-filters.ts";
import { type EventQuery, hasFilter } from "../core/event-query.ts";

export interface EventsListener {
  onAnswer(): void;
  onCancel(cancel: () => void): void;
  /** One event as JSON. The next one is read when the result resolves. */
  onEvent(json: string): Promise<void>;
}

/** Resolves when the call ends, with the error that ended it. */
export async function getEvents(
  client: Client,
  query: EventQuery,
  { onAnswer, onCancel, onEvent }: EventsListener,
): Promise<WireError> {
  const { fullName, methods } = FineGuidanceSensorsDefinition;
  const stream = client.makeServerStreamRequest(
    `/${fullName}/${methods.getEvents.name}`,
    (message: GetEventsRequest) => Buffer.from(GetEventsRequest.encode(message).finish()),
    (bytes) => GetEventsResponse.decode(bytes),
    toRequest(query),
    new Metadata(),
    {},
  );
  stream.on("metadata", onAnswer);
  onCancel(() => stream.cancel());
  try {
    for await (const response of stream) await onEvent(toEventJson(response));
    return { code: grpcCode.unavailable, details: "the agent ended the call" };
  } catch (error) {
    // grpc-js ends a stream with this kind of error only.
    const { code, details } = error as ServiceError;
    return { code, details };
  }
}

function toRequest(query: EventQuery): GetEventsRequest {
  const { filter, include, exclude } = query;
  // ts-proto's lists are not readonly; encoding only reads them.
  const written = { ...emptyFilter, ...(filter as Partial<typeof emptyFilter>) };
  const fieldFilter = (fields: readonly string[], action: FieldFilterAction) =>
    fields.length === 0 ? [] : [{ eventSet: [], fields: [...fields], action, invertEventSet: undefined }];
  return {
    // Without the second filter the agent would not say how many events it dropped.
    allowList: hasFilter(query) ? [written, { ...emptyFilter, eventSet: [eventTypes.RATE_LIMIT_INFO] }] : [],
    denyList: [],
    aggregationOptions: undefined,
    fieldFilters: [
      ...fieldFilter(include, FieldFilterAction.INCLUDE),
      ...fieldFilter(exclude, FieldFilterAction.EXCLUDE),
    ],
  };
}
