// SPDX-License-Identifier: Apache-2.0
// The clients' side of the event thread: passes their requests on, and events to their connections as fast as these take
// them.

import type { OutputEnd, OutputReport, OutputRequest } from "./output-messages.ts";

/** The connection of one client. */
export interface EventSink {
  /** False: it takes no more until `onReady`. */
  write(event: Uint8Array): boolean;
  end(why: OutputEnd | "stopped", details: string): void;
}

interface EventStream {
  onReady(): void;
  close(): void;
}

export interface EventStreams {
  /** `request`: a GetEventsRequest. */
  open(request: Uint8Array, sink: EventSink): EventStream;
  /** What the thread of the events has sent. */
  handle(report: OutputReport): void;
  /** The thread of the events has ended. */
  endAll(why: string): void;
  readonly size: number;
}

/** `post`: to the thread of the events. */
export function createEventStreams(post: (request: OutputRequest) => void): EventStreams {
  const streams = new Map<
    number,
    { receive(report: OutputReport): void; end(...why: Parameters<EventSink["end"]>): void }
  >();
  let next = 0;

  const open = (request: Uint8Array, sink: EventSink): EventStream => {
    const client = next++;
    let isReady = true;
    const waiting: { readonly events: readonly Uint8Array[]; written: number }[] = [];

    const send = (): void => {
      while (isReady) {
        const batch = waiting[0];
        if (batch === undefined) return;
        const event = batch.events[batch.written];
        if (event === undefined) {
          waiting.shift();
          post({ kind: "taken", client, events: batch.events.length });
          continue;
        }
        batch.written++;
        isReady = sink.write(event);
      }
    };
    const leave = (): boolean => {
      // The connection may become ready once more after its end.
      waiting.length = 0;
      return streams.delete(client);
    };
    const end: EventSink["end"] = (why, details) => {
      leave();
      sink.end(why, details);
    };
    streams.set(client, {
      end,
      receive(report) {
        if (report.kind === "end") return end(report.why, report.details);
        waiting.push({ events: split(report), written: 0 });
        send();
      },
    });
    post({ kind: "subscribe", client, request });
    return {
      onReady() {
        isReady = true;
        send();
      },
      close() {
        if (leave()) post({ kind: "unsubscribe", client });
      },
    };
  };

  return {
    open,
    handle: (report) => streams.get(report.client)?.receive(report),
    endAll(why) {
      for (const { end } of [...streams.values()]) end("stopped", why);
    },
    get size() {
      return streams.size;
    },
  };
}

function split({ bytes, ends }: Extract<OutputReport, { kind: "events" }>): readonly Uint8Array[] {
  let from = 0;
  return ends.map((end) => {
    const event = bytes.subarray(from, end);
    from = end;
    return event;
  });
}
