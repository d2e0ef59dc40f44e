// SPDX-License-Identifier: Apache-2.0
// Recorded events as the WebSocket messages of @statelyai/inspect 0.7 (src/types.ts there: StatelyInspectionEvent), so that
// its `createWebSocketReceiver` and Stately's inspector read them. `sequence`, `machine`, `atMs` and `changedMs` are
// additions, which those ignore; so are `parentId`, `name`, `from` and `fromSinceMs` of a snapshot: one that is kept longer
// than the start of its actor is complete without it.

import type { RecordedEvent } from "../core/history.ts";
import type { RecordedActor } from "../core/recorder.ts";

const version = "0.7.2";

/** By the id of a machine: its configuration as JSON. */
export type Definitions = ReadonlyMap<string, string>;

/** For clients that have the definitions. */
export const noDefinitions: Definitions = new Map();

/**
 * For clients that resume: who numbers the events, up to which one, and how many of those the client lacks are gone.
 * `actors`: how many messages with actors follow; undefined where events follow.
 */
export const renderHello = (hello: {
  readonly boot: string;
  readonly sequence: number;
  readonly missed: number;
  readonly actors: number | undefined;
  readonly program: string;
  /** Ids of the machines whose actors are inspected. */
  readonly machines: readonly string[];
  /** Whether the program explains its containers (../core/answer-facts.ts). */
  readonly explains: boolean;
}): string => JSON.stringify({ type: "@rthooks.hello", _version: version, ...hello });

/** The first line of a part of the history. */
export const renderHistoryHead = (head: {
  readonly boot: string;
  readonly program: string;
  readonly machines: readonly string[];
  /** The lowest number that is kept, in this part or before it. */
  readonly oldest: number;
  /** The part has the events from this number on. With a higher one than `oldest` there is an earlier part. */
  readonly first: number;
  /** The part ends before this number. */
  readonly before: number;
}): string => JSON.stringify({ type: "@rthooks.history", _version: version, ...head });

/** A living or ended actor, as a message of a new one with its current snapshot. `sequence`: of the last event in it. */
export function renderActor(actor: RecordedActor, definitions: Definitions, sequence: number): string {
  return message({
    type: "@xstate.actor",
    ...about(actor, actor.sinceMs, sequence),
    changedMs: actor.changedMs,
    parentId: actor.parentId,
    name: actor.name,
    definition: quoteDefinition(definitions, actor.machine),
    snapshot: raw(actor.snapshot()),
  });
}

export function renderEvent(event: RecordedEvent, definitions: Definitions): string {
  const { atMs, sequence } = event;
  switch (event.type) {
    case "@xstate.actor":
      return message({
        type: event.type,
        ...about(event, atMs, sequence),
        parentId: event.parentId,
        name: event.name,
        definition: quoteDefinition(definitions, event.machine),
        snapshot: raw('{"status":"active"}'),
      });
    case "@xstate.event":
      return message({
        type: event.type,
        ...about(event, atMs, sequence),
        sourceId: event.sourceId,
        event: raw(event.payload),
      });
    case "@xstate.snapshot":
      return message({
        type: event.type,
        ...about(event, atMs, sequence),
        parentId: event.parentId,
        name: event.name,
        from: event.from,
        fromSinceMs: event.fromSinceMs,
        event: { type: event.what },
        snapshot: raw(event.payload),
      });
  }
}

function about(
  { sessionId, rootId, machine }: Pick<RecordedEvent, "sessionId" | "rootId" | "machine">,
  atMs: number,
  sequence: number,
) {
  const createdAt = `${Math.floor(atMs)}`;
  return { sessionId, rootId, createdAt, id: `${sequence}`, _version: version, machine, atMs, sequence };
}

/** Of those that were sent, as JSON texts. */
const quoted = new WeakMap<Definitions, Map<string, Raw>>();

function quoteDefinition(definitions: Definitions, machine: string): Raw {
  const known = quoted.get(definitions)?.get(machine);
  if (known !== undefined) return known;
  const definition = definitions.get(machine);
  if (definition === undefined) return raw(JSON.stringify(JSON.stringify({ id: machine })));
  const own = raw(JSON.stringify(definition));
  quoted.set(definitions, (quoted.get(definitions) ?? new Map()).set(machine, own));
  return own;
}

/** JSON that is written into a message as it is. */
interface Raw {
  readonly json: string;
}

const raw = (json: string): Raw => ({ json });

function message(
  fields: Readonly<Record<string, string | number | undefined | Raw | { readonly type: string }>>,
): string {
  const members = Object.entries(fields).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const json = typeof value === "object" && "json" in value ? value.json : JSON.stringify(value);
    return [`${JSON.stringify(key)}:${json}`];
  });
  return `{${members.join(",")}}`;
}
