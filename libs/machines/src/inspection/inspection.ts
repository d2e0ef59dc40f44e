// SPDX-License-Identifier: Apache-2.0
// The one place at which any machine can be watched. Every machine reports to an `Inspect` in XState's inspection
// protocol, whichever runner it has: "@xstate.actor" once, then for each event "@xstate.event", "@xstate.action" for each
// effect, and "@xstate.snapshot" with the state afterwards. Calls are synchronous, so the time of a call is the time of
// what it reports, unless the call says another one. Without an `Inspect` nothing is reported.

import type { ActorRefLike, InspectionEvent } from "xstate";

/**
 * Must not throw, and must not send events to the actor. `atMs`: when it happened, in Unix time in milliseconds, where that
 * is not now.
 */
export type Inspect = (inspected: InspectionEvent, atMs?: number) => void;

/** For an actor that XState does not create. */
export interface InspectOptions {
  /** The actor's id in inspection events. */
  readonly id: string;
  readonly inspect: Inspect;
}

/** Which actor of which machine, and what happened to it. */
export interface InspectionRecord {
  readonly type: InspectionEvent["type"];
  /** The actor's id: of a pod its key, of a container `container:ID`. */
  readonly actor: string;
  /** The id of its machine. */
  readonly machine: string;
  /** Session id of the actor that started it; undefined without one. */
  readonly parentId: string | undefined;
  /** The event's type; the action's name for "@xstate.action"; empty for "@xstate.actor". */
  readonly what: string;
  /** The state after the event, from the outermost to the innermost: "active.reaching.connecting". */
  readonly state: string;
}

/** What a log line or a list shows of an inspection event. The state is empty except for "@xstate.snapshot". */
export function describeInspection(inspected: InspectionEvent): InspectionRecord {
  const { type, actorRef } = inspected;
  const parentId = readProperty(readProperty(actorRef, "_parent"), "sessionId");
  return {
    type,
    actor: String(readProperty(actorRef, "id")),
    machine: String(readProperty(readProperty(readProperty(actorRef, "logic"), "config"), "id")),
    parentId: typeof parentId === "string" ? parentId : undefined,
    what: "event" in inspected ? inspected.event.type : "action" in inspected ? inspected.action.type : "",
    state: type === "@xstate.snapshot" ? renderState(readProperty(inspected.snapshot, "value")) : "",
  };
}

/**
 * An actor that XState did not create, with what XState's actors have beyond their type and `describeInspection` reads. It
 * takes no events.
 */
export function createInspectedRef({
  id,
  sessionId,
  machine,
  parent,
  getSnapshot,
}: {
  readonly id: string;
  readonly sessionId: string;
  /** The machine's id. */
  readonly machine: string;
  readonly parent?: object | undefined;
  readonly getSnapshot: ActorRefLike["getSnapshot"];
}): ActorRefLike {
  const described = { id, logic: { config: { id: machine } }, _parent: parent };
  const send = (): never => {
    throw new Error(`${id}: an inspector cannot send events to it`);
  };
  return { ...described, sessionId, getSnapshot, send };
}

const readProperty = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;

function renderState(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value ?? "");
  return Object.entries(value)
    .map(([key, inner]) => `${key}.${renderState(inner)}`)
    .join(" ");
}
