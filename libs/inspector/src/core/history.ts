// SPDX-License-Identifier: Apache-2.0
// The last events, bounded by their number and by their size. Events are numbered without gaps, so a reader that comes
// back knows what it has missed.

interface NewEvent {
  readonly type: "@xstate.actor" | "@xstate.event" | "@xstate.snapshot";
  readonly sessionId: string;
  readonly rootId: string;
  readonly parentId: string | undefined;
  /** The actor that sent an event. */
  readonly sourceId: string | undefined;
  readonly name: string;
  readonly machine: string;
  /** The event's type. */
  readonly what: string;
  /** Of a snapshot: from the outermost to the innermost state. */
  readonly state: string;
  /** Of a snapshot: the state before it, empty for an actor's first one; and since when the actor was in it. */
  readonly from: string;
  readonly fromSinceMs: number;
  /** Unix time in milliseconds, with fractions. */
  readonly atMs: number;
  /** Event or snapshot as bounded JSON. */
  readonly payload: string;
}

export interface RecordedEvent extends NewEvent {
  /** From 1 on. */
  readonly sequence: number;
}

export interface HistoryBounds {
  readonly maxEvents: number;
  /** Of all payloads together, in UTF-16 code units. */
  readonly maxPayload: number;
}

export interface History {
  /** Gives the event its number and keeps it. */
  add(event: NewEvent): RecordedEvent;
  after(sequence: number): { readonly events: readonly RecordedEvent[]; readonly missed: number };
  /** The last events with lower numbers, at most `limit`; `oldest`: the lowest number that is kept. */
  before(
    sequence: number,
    limit: number,
  ): { readonly events: readonly RecordedEvent[]; readonly oldest: number };
  /** The number of the newest event; 0 while there was none. */
  last(): number;
}

export function createHistory({ maxEvents, maxPayload }: HistoryBounds): History {
  let events: RecordedEvent[] = [];
  /** Index of the oldest event that counts: those before it are cut off from time to time. */
  let start = 0;
  let size = 0;
  let last = 0;

  const dropOldest = (): void => {
    size -= events[start]?.payload.length ?? 0;
    start++;
    if (start < maxEvents) return;
    events = events.slice(start);
    start = 0;
  };

  const firstKept = (): number => events[start]?.sequence ?? last + 1;

  return {
    add(event) {
      last++;
      const recorded = Object.assign(event, { sequence: last });
      events.push(recorded);
      size += event.payload.length;
      while (events.length - start > maxEvents || (size > maxPayload && events.length - start > 1))
        dropOldest();
      return recorded;
    },
    after(sequence) {
      const first = firstKept();
      // A number of the future is another recorder's: its reader has seen nothing of this one.
      const from = sequence > last ? 0 : sequence;
      const missed = Math.max(0, first - 1 - from);
      return { events: events.slice(start + Math.max(0, from + 1 - first)), missed };
    },
    before(sequence, limit) {
      const oldest = firstKept();
      const end = start + Math.max(0, Math.min(sequence, last + 1) - oldest);
      return { events: events.slice(Math.max(start, end - limit), end), oldest };
    },
    last: () => last,
  };
}
