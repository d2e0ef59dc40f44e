// SPDX-License-Identifier: Apache-2.0
// GetEvents. The thread of the events reads requests and writes events; here they pass as bytes.

import { FineGuidanceSensorsDefinition } from "@rthooks/proto";
import { grpcCode } from "@rthooks/proto/grpc-code";
import type { Registrar } from "../../base/wire/serve-reads-only.ts";
import { registerServerStream } from "../../base/wire/service.ts";
import type { EventSink, EventStreams } from "../../events/core/event-streams.ts";

/** Clients of one server. */
const maxStreams = 32;

const plainBytes = {
  encode: (bytes: Uint8Array) => ({ finish: () => bytes }),
  decode: (bytes: Uint8Array) => bytes,
};

const codes = {
  invalid: grpcCode.invalidArgument,
  "too-expensive": grpcCode.resourceExhausted,
  stopped: grpcCode.unavailable,
} as const; // const: each end has its code

/** Returns the function that ends all streams. `events` is undefined where the agent has no events. */
export function registerEventsService(
  to: Registrar,
  events: Pick<EventStreams, "open"> | undefined,
  onBug: (error: unknown) => void,
): () => void {
  const { name } = FineGuidanceSensorsDefinition.methods.getEvents;
  const streams = new Set<() => void>();
  let isClosed = false;
  registerServerStream(
    to,
    FineGuidanceSensorsDefinition,
    { name, requestType: plainBytes, responseType: plainBytes },
    (request: Uint8Array, stream) => {
      const end: EventSink["end"] = (why, details) =>
        stream.end({ code: codes[why], details: `${name}: ${details}` });
      if (events === undefined) {
        stream.end({ code: grpcCode.unimplemented, details: `${name}: ${noEvents}` });
        return undefined;
      }
      if (isClosed) return void end("stopped", "the agent stops");
      if (streams.size >= maxStreams) {
        const details = `${name}: ${maxStreams} clients get events already: end one of them`;
        return void stream.end({ code: grpcCode.resourceExhausted, details });
      }
      // `end` may be called before `open` returns.
      let close = (): void => {};
      let isOpen = true;
      const opened = events.open(request, {
        write: stream.write,
        end(why, details) {
          isOpen = false;
          streams.delete(close);
          end(why, details);
        },
      });
      close = () => {
        streams.delete(close);
        opened.close();
        end("stopped", "the agent stops");
      };
      if (isOpen) streams.add(close);
      return {
        onReady: opened.onReady,
        onClose() {
          streams.delete(close);
          opened.close();
        },
      };
    },
    onBug,
  );
  return () => {
    isClosed = true;
    for (const close of streams) close();
  };
}

const noEvents = "the agent has no events: start it with --enable-policy-filter";
