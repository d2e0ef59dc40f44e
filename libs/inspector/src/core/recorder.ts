// SPDX-License-Identifier: Apache-2.0
// Records what an inspector reports: a bounded history of events, and the actors that live or have ended lately.
//
// The machines call `inspect` while containers wait, so it only notes what happened. The notes become JSON in `flush`, which
// the owner calls a moment later. Snapshots and events never change, so it does not matter when they are written.

import { describeInspection, type Inspect, type InspectionRecord } from "@rthooks/machines/inspection";
import type { InspectionEvent, Snapshot } from "xstate";
import { defaultBounds, renderBoundedJson, type WrittenObjects } from "./bounded-json.ts";
import { createHistory, type History, type HistoryBounds, type RecordedEvent } from "./history.ts";

export interface RecordedActor {
  readonly sessionId: string;
  readonly parentId: string | undefined;
  readonly rootId: string;
  /** The actor's id: of a pod its key, of a container `container:ID`. */
  readonly name: string;
  /** The id of its machine. */
  readonly machine: string;
  /** From the outermost to the innermost state: "active.reaching.connecting". */
  readonly state: string;
  /** Unix time in milliseconds, with fractions. */
  readonly sinceMs: number;
  /** When it entered its state. */
  readonly changedMs: number;
  readonly hasEnded: boolean;
  /** The snapshot as bounded JSON. */
  snapshot(): string;
}

export interface RecorderOptions {
  /** Unix time in milliseconds, with fractions. */
  nowMs(): number;
  readonly bounds: HistoryBounds & {
    /** Actors that have ended; the oldest are forgotten. */
    readonly maxEnded: number;
    /** Notes that wait for `flush`; with one more, the oldest are written at once. */
    readonly maxPending: number;
  };
  /** There are notes again, or the rest of those of a flush: call `flush` soon. */
  onPending(isRest: boolean): void;
}

export interface Recorder {
  readonly inspect: Inspect;
  /**
   * Writes notes into the history, all of them or the first `limit`, and returns what was added since the last call. If notes
   * are left, `onPending` is called again.
   */
  flush(limit?: number): readonly RecordedEvent[];
  /** Living actors in the order of their start, then those that have ended. */
  actors(): Iterable<RecordedActor>;
  /** The events after the one with this number that are still there; `missed`: how many are not. */
  eventsAfter(sequence: number): { readonly events: readonly RecordedEvent[]; readonly missed: number };
  /** As in the history. */
  eventsBefore: History["before"];
  /** The number of the last event; 0 before the first. */
  lastSequence(): number;
}

interface Note {
  readonly inspected: NotedEvent;
  readonly atMs: number;
}

/** What the wire protocol has of them. */
type NotedEvent = Extract<InspectionEvent, { readonly type: RecordedEvent["type"] }>;

/** Changed in place: it is written for each snapshot. */
type Entry = { -readonly [Key in keyof Omit<RecordedActor, "snapshot">]: RecordedActor[Key] } & {
  latest: unknown;
};

/** Of too many notes: a machine waits for it, so not all. */
const WRITTEN_AT_ONCE = 64;

export function createRecorder({ nowMs, bounds, onPending }: RecorderOptions): Recorder {
  const history = createHistory(bounds);
  const living = new Map<string, Entry>();
  const ended = new Map<string, Entry>();
  const pending: Note[] = [];
  /** Written, and not yet returned by `flush`. */
  let written: RecordedEvent[] = [];

  const inspect: Inspect = (inspected, pastMs) => {
    if (!isNoted(inspected)) return;
    pending.push({ inspected, atMs: pastMs ?? nowMs() });
    if (pending.length === 1 && written.length === 0) onPending(false);
    if (pending.length > bounds.maxPending) writePending(WRITTEN_AT_ONCE);
  };

  const openActor = ({ inspected, atMs }: Note, { actor, machine, parentId }: InspectionRecord): void => {
    const { rootId } = inspected;
    const { sessionId } = inspected.actorRef;
    ended.delete(sessionId);
    living.set(sessionId, {
      ...{ sessionId, parentId, rootId, name: actor, machine },
      ...{ state: "", sinceMs: atMs, changedMs: atMs, hasEnded: false, latest: undefined },
    });
  };

  const changeActor = (sessionId: string, state: string, atMs: number, latest: Snapshot<unknown>): void => {
    const entry = living.get(sessionId);
    if (entry === undefined) return;
    if (entry.state !== state) entry.changedMs = atMs;
    entry.state = state;
    entry.latest = latest;
    entry.hasEnded = latest.status !== "active";
    if (entry.hasEnded) keepEnded(entry);
  };

  const keepEnded = (entry: Entry): void => {
    living.delete(entry.sessionId);
    ended.set(entry.sessionId, entry);
    for (const oldest of ended.keys()) {
      if (ended.size <= bounds.maxEnded) break;
      ended.delete(oldest);
    }
  };

  const record = (note: Note, objects: WrittenObjects): RecordedEvent => {
    const { inspected, atMs } = note;
    const description = describeInspection(inspected);
    const { machine, actor: name, parentId, what, state } = description;
    const { rootId } = inspected;
    const { sessionId } = inspected.actorRef;
    const before = living.get(sessionId);
    const from = before?.state ?? "";
    const fromSinceMs = before?.changedMs ?? atMs;
    if (inspected.type === "@xstate.actor") openActor(note, description);
    if (inspected.type === "@xstate.snapshot") changeActor(sessionId, state, atMs, inspected.snapshot);
    const sourceId = "sourceRef" in inspected ? inspected.sourceRef?.sessionId : undefined;
    const payload = renderPayload(inspected, objects);
    return history.add({
      type: inspected.type,
      sessionId,
      rootId,
      parentId,
      sourceId,
      name,
      machine,
      what,
      state,
      from,
      fromSinceMs,
      atMs,
      payload,
    });
  };

  const writePending = (limit = pending.length): void => {
    const notes = pending.splice(0, limit);
    // A container's report and pod are in most of its events and snapshots.
    const objects: WrittenObjects = new WeakMap();
    for (const note of notes) written.push(record(note, objects));
  };

  const flush = (limit?: number): readonly RecordedEvent[] => {
    writePending(limit);
    const events = written;
    written = [];
    if (pending.length > 0) onPending(true);
    return events;
  };

  return {
    inspect,
    flush,
    *actors() {
      for (const { latest, ...actor } of [...living.values(), ...ended.values()])
        yield { ...actor, snapshot: () => renderBoundedJson(latest ?? { status: "active" }) };
    },
    eventsAfter: history.after,
    eventsBefore: history.before,
    lastSequence: history.last,
  };
}

const isNoted = (inspected: InspectionEvent): inspected is NotedEvent =>
  inspected.type === "@xstate.event" ||
  inspected.type === "@xstate.snapshot" ||
  inspected.type === "@xstate.actor";

function renderPayload(inspected: NotedEvent, objects: WrittenObjects): string {
  const render = (value: unknown): string => renderBoundedJson(value, defaultBounds, objects);
  switch (inspected.type) {
    case "@xstate.event":
      return render(inspected.event);
    case "@xstate.snapshot":
      return render(inspected.snapshot);
    default:
      return "{}";
  }
}
