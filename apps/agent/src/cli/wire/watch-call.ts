// SPDX-License-Identifier: Apache-2.0

import { type Client, Metadata, type ServiceError } from "@grpc/grpc-js";
import { AgentStateDefinition, WatchContainersRequest, WatchContainersResponse } from "@rthooks/proto";
import { grpcCode } from "@rthooks/proto/grpc-code";
import type { ChangeSelection } from "../../api/core/change-filter.ts";
import type { WireError } from "../../base/wire/service.ts";
import type { WatchMessage } from "../core/watch-output.ts";

export interface WatchSelection extends ChangeSelection {
  /** Without the containers on record. */
  readonly changesOnly: boolean;
}

export interface WatchListener {
  /** One message. The next one is read when the result resolves. */
  onEvent(event: WatchMessage): Promise<void>;
  /** Gets the function that cancels the call. */
  onCancel(cancel: () => void): void;
}

/** Resolves when the call ends, with the error that ended it. */
export async function watchContainers(
  client: Client,
  { namespaces, pods, states, changesOnly }: WatchSelection,
  { onEvent, onCancel }: WatchListener,
): Promise<WireError> {
  const { fullName, methods } = AgentStateDefinition;
  const stream = client.makeServerStreamRequest(
    `/${fullName}/${methods.watchContainers.name}`,
    (message: WatchContainersRequest) => Buffer.from(WatchContainersRequest.encode(message).finish()),
    (bytes) => WatchContainersResponse.decode(bytes),
    { namespaces: [...namespaces], pods: [...pods], states: [...states], changesOnly },
    new Metadata(),
    {},
  );
  onCancel(() => stream.cancel());
  try {
    for await (const response of stream) {
      const event = toWatchMessage(response);
      if (event !== undefined) await onEvent(event);
    }
    return { code: grpcCode.unavailable, details: "the agent ended the call" };
  } catch (error) {
    // grpc-js ends a stream with this kind of error only.
    const { code, details } = error as ServiceError;
    return { code, details };
  }
}

function toWatchMessage({ content }: WatchContainersResponse): WatchMessage | undefined {
  switch (content?.$case) {
    case "recorded":
      return { kind: "recorded", change: content.recorded };
    case "change":
      return { kind: "change", change: content.change };
    case "allRecorded":
      return { kind: "all-recorded", containers: Number(content.allRecorded.containers) };
    case "missed":
      return { kind: "missed", changes: Number(content.missed) };
    default:
      // Of a newer agent.
      return undefined;
  }
}
