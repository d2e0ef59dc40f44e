// SPDX-License-Identifier: Apache-2.0
// AgentState.WatchContainers: the containers on record, then each change. A client that does not read delays only itself.

import {
  AgentStateDefinition,
  type StateChange as ChangeMessage,
  type WatchContainersResponse,
} from "@rthooks/proto";
import { grpcCode } from "@rthooks/proto/grpc-code";
import { createBoundedQueue } from "../../base/core/bounded-queue.ts";
import type { Registrar } from "../../base/wire/serve-reads-only.ts";
import { type ResponseStream, registerServerStream } from "../../base/wire/service.ts";
import type { ContainerChange, ContainerChanges } from "../../containers/core/container-changes.ts";
import type { ContainerRecord } from "../../containers/core/container-record.ts";
import { type ChangeFilter, createChangeFilter } from "../core/change-filter.ts";

/** Streams of one server. A stream keeps its connection from being closed as unused. */
const maxStreams = 32;
/** Changes that a stream keeps for its client, some 400 bytes each. */
const maxQueued = 1000;
const maxNameLength = 256;
const maxErrorLength = 1024;
/** Names in one list of a request. */
const maxNames = 100;

/** Returns the function that ends all streams. */
export function registerWatchService(
  to: Registrar,
  changes: ContainerChanges,
  onBug: (error: unknown) => void,
): () => void {
  const streams = new Set<() => void>();
  let isClosed = false;
  registerServerStream(
    to,
    AgentStateDefinition,
    AgentStateDefinition.methods.watchContainers,
    (request, stream) => {
      const { namespaces, pods, states, changesOnly } = request;
      const refuse = (code: (typeof grpcCode)[keyof typeof grpcCode], details: string): undefined =>
        void stream.end({ code, details: `WatchContainers: ${details}` });
      if (isClosed) return refuse(grpcCode.unavailable, agentStops);
      if (streams.size >= maxStreams) {
        return refuse(grpcCode.resourceExhausted, `${maxStreams} clients watch already: end one of them`);
      }
      if (Math.max(namespaces.length, pods.length, states.length) > maxNames) {
        return refuse(grpcCode.invalidArgument, `more than ${maxNames} names in one list`);
      }
      const watch = startWatch(
        changes,
        createChangeFilter({ namespaces, pods, states }),
        changesOnly,
        stream,
      );
      const end = (): void => {
        streams.delete(end);
        watch.close();
        refuse(grpcCode.unavailable, agentStops);
      };
      streams.add(end);
      return {
        onReady: watch.send,
        onClose() {
          streams.delete(end);
          watch.close();
        },
      };
    },
    onBug,
  );
  return () => {
    isClosed = true;
    for (const end of streams) end();
  };
}

const agentStops = "the agent stops";

function startWatch(
  changes: ContainerChanges,
  selects: ChangeFilter,
  changesOnly: boolean,
  stream: ResponseStream<WatchContainersResponse>,
): { send(): void; close(): void } {
  const queue = createBoundedQueue<ChangeMessage>(maxQueued);
  let isReady = true;
  const write = (content: NonNullable<WatchContainersResponse["content"]>): void => {
    isReady = stream.write({ content });
  };
  const { recorded, unsubscribe } = changes.subscribe((change) => {
    if (!selects(change.container, change.to)) return;
    queue.push(toChangeMessage(change));
    send();
  });
  let rest: Iterator<ContainerRecord> | undefined = (changesOnly ? [] : recorded)
    .filter((record) => selects(record, record.state))
    .values();
  let count = 0n;

  const send = (): void => {
    // A stream is ready again when everything written was taken from it.
    while (rest !== undefined && isReady) {
      const next = rest.next();
      if (next.done === true) {
        rest = undefined;
        write({ $case: "allRecorded", allRecorded: { containers: count } });
      } else {
        count++;
        write({ $case: "recorded", recorded: toRecordedMessage(next.value) });
      }
    }
    while (isReady) {
      const queued = queue.take();
      if (queued === undefined) return;
      if ("missed" in queued) write({ $case: "missed", missed: BigInt(queued.missed) });
      else write({ $case: "change", change: queued.item });
    }
  };
  const onReady = (): void => {
    isReady = true;
    send();
  };
  send();
  return { send: onReady, close: unsubscribe };
}

const toRecordedMessage = (container: ContainerRecord): ChangeMessage =>
  toChangeMessage({
    container,
    from: "",
    to: container.state,
    event: "",
    atNanos: container.reportedAtNanos,
  });

const toChangeMessage = ({ container, from, to, event, atNanos }: ContainerChange): ChangeMessage => ({
  id: cut(container.id),
  name: cut(container.name),
  podNamespace: cut(container.podNamespace),
  podName: cut(container.podName),
  from,
  to,
  source: container.source,
  cgroupId: container.cgroupId,
  event,
  error: container.error.slice(0, maxErrorLength),
  unixNanos: atNanos,
});

const cut = (name: string): string => name.slice(0, maxNameLength);
