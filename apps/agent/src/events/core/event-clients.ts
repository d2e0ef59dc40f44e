// SPDX-License-Identifier: Apache-2.0
// The clients of GetEvents, in the thread of the events. Each has a queue of its own; what does not fit is counted. A client
// gets more events when its connection has taken the earlier ones.

import { type BoundedQueue, createBoundedQueue } from "../../base/core/bounded-queue.ts";
import { createSharedRoom } from "../../base/core/shared-room.ts";
import type { EventMatcher } from "./event-filter.ts";
import type { EventSubject } from "./event-subject.ts";
import { createFilterBudget } from "./filter-budget.ts";
import type { OutputEnd, OutputReport } from "./output-messages.ts";

/** What a client asked for. */
export interface ClientWishes {
  readonly matches: EventMatcher;
  readonly wantsDrops: boolean;
  /** Equal for wishes with the same fields: their events are encoded once. */
  readonly fieldsKey: string;
}

/** Encodes the current event for a client; called once for each `fieldsKey`. */
type EncodeEvent<Wishes> = (wishes: Wishes) => Uint8Array;

export interface EventClients<Wishes extends ClientWishes> {
  add(client: number, wishes: Wishes): void;
  remove(client: number): void;
  taken(client: number, events: number): void;
  publish(subject: EventSubject, encode: EncodeEvent<Wishes>): void;
  /** Sends what the connections of the clients have room for. */
  flush(): void;
  readonly size: number;
  readonly sent: number;
  readonly dropped: number;
}

/**
 * Bytes of events that wait for clients: at most some 10,000 events of one. All have at most 64 MiB, since there are 64 clients,
 * and clients that do not read leave room to others.
 */
const queuedBytes = { own: 512 * 1024, most: 8 * 1024 * 1024, shared: 32 * 1024 * 1024 };
/** What an event takes beside its bytes. */
const eventOverhead = 64;
/** Events that were sent to the main thread and that the connection has not taken. */
const maxInFlight = 512;

interface Client<Wishes> {
  readonly wishes: Wishes;
  readonly queue: BoundedQueue<Uint8Array>;
  inFlight: number;
}

export function createEventClients<Wishes extends ClientWishes>(options: {
  post(report: OutputReport): void;
  encodeDrops(count: number): Uint8Array;
  nowMs(): number;
}): EventClients<Wishes> {
  const { post, encodeDrops, nowMs } = options;
  const clients = new Map<number, Client<Wishes>>();
  const budget = createFilterBudget();
  const room = createSharedRoom(queuedBytes);
  let sent = 0;
  let dropped = 0;

  const remove = (client: number): void => {
    clients.get(client)?.queue.clear();
    clients.delete(client);
  };

  const end = (client: number, why: OutputEnd, details: string): void => {
    remove(client);
    post({ kind: "end", client, why, details });
  };

  const takeBatch = (client: Client<Wishes>): readonly Uint8Array[] => {
    const events: Uint8Array[] = [];
    while (client.inFlight + events.length < maxInFlight) {
      const queued = client.queue.take();
      if (queued === undefined) break;
      if ("item" in queued) events.push(queued.item);
      else if (client.wishes.wantsDrops) events.push(encodeDrops(queued.missed));
    }
    return events;
  };

  const send = (number: number, client: Client<Wishes>): void => {
    const events = takeBatch(client);
    if (events.length === 0) return;
    client.inFlight += events.length;
    sent += events.length;
    post({ kind: "events", client: number, ...join(events) });
  };

  return {
    add(client, wishes) {
      clients.set(client, {
        wishes,
        queue: createBoundedQueue<Uint8Array>(room, (event) => event.length + eventOverhead),
        inFlight: 0,
      });
    },
    remove,
    taken(number, events) {
      const client = clients.get(number);
      if (client === undefined) return;
      client.inFlight = Math.max(0, client.inFlight - events);
      send(number, client);
    },
    publish(subject, encode) {
      const encoded = new Map<string, Uint8Array>();
      for (const [number, { wishes, queue }] of clients) {
        const beganMs = nowMs();
        const isWanted = wishes.matches(subject);
        const endedMs = nowMs();
        const tooLong = budget.spend(number, endedMs - beganMs, endedMs);
        if (tooLong !== undefined) {
          end(
            tooLong,
            "too-expensive",
            "its filters take too long: use fewer or simpler regular expressions",
          );
        }
        if (!isWanted || tooLong === number) continue;
        let bytes = encoded.get(wishes.fieldsKey);
        if (bytes === undefined) {
          bytes = encode(wishes);
          encoded.set(wishes.fieldsKey, bytes);
        }
        if (!queue.push(bytes)) dropped++;
      }
    },
    flush() {
      for (const [number, client] of clients) send(number, client);
    },
    get size() {
      return clients.size;
    },
    get sent() {
      return sent;
    },
    get dropped() {
      return dropped;
    },
  };
}

function join(events: readonly Uint8Array[]): { readonly bytes: Uint8Array<ArrayBuffer>; ends: number[] } {
  const bytes = new Uint8Array(events.reduce((sum, { length }) => sum + length, 0));
  const ends: number[] = [];
  let at = 0;
  for (const event of events) {
    bytes.set(event, at);
    at += event.length;
    ends.push(at);
  }
  return { bytes, ends };
}
