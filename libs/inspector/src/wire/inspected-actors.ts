// SPDX-License-Identifier: Apache-2.0
// Wire messages as inspection events again, for a recorder: it reads of an actor what is made here, and nothing else.

import { createInspectedRef } from "@rthooks/machines/inspection";
import type { ActorRefLike, AnyEventObject, InspectionEvent, Snapshot } from "xstate";
import { renderBoundedJson } from "../core/bounded-json.ts";

interface ActorMessage {
  readonly sessionId: string;
  readonly rootId: string;
  readonly parentId?: string | undefined;
  readonly name: string;
  readonly machine: string;
}

interface StepMessage {
  readonly sessionId: string;
  readonly rootId: string;
}

export interface InspectedActors {
  start(message: ActorMessage): InspectionEvent;
  /** These are undefined for an actor that has not started. */
  receive(
    message: StepMessage & { readonly sourceId?: string | undefined; readonly event: AnyEventObject },
  ): InspectionEvent | undefined;
  change(
    message: StepMessage & {
      readonly event: AnyEventObject;
      readonly snapshot: { readonly status: string; readonly value?: unknown };
    },
  ): InspectionEvent | undefined;
}

export function createInspectedActors(): InspectedActors {
  const actors = new Map<string, ActorRefLike>();
  return {
    start(message) {
      const { sessionId, rootId, parentId } = message;
      const parent = parentId === undefined ? undefined : (actors.get(parentId) ?? { sessionId: parentId });
      const actorRef = toActorRef(message, parent);
      actors.set(sessionId, actorRef);
      return { type: "@xstate.actor", rootId, actorRef };
    },
    receive({ sessionId, rootId, sourceId, event }) {
      const actorRef = actors.get(sessionId);
      if (actorRef === undefined) return undefined;
      const sourceRef = sourceId === undefined ? undefined : actors.get(sourceId);
      return { type: "@xstate.event", rootId, actorRef, sourceRef, event };
    },
    change({ sessionId, rootId, event, snapshot }) {
      const actorRef = actors.get(sessionId);
      if (actorRef === undefined) return undefined;
      return { type: "@xstate.snapshot", rootId, actorRef, event, snapshot: toSnapshot(snapshot) };
    },
  };
}

function toActorRef(
  { sessionId, name: id, machine }: ActorMessage,
  parent: object | undefined,
): ActorRefLike {
  const getSnapshot = (): never => {
    throw new Error(`${id} is of a recording: it has no snapshot but those of its messages`);
  };
  return createInspectedRef({ id, sessionId, machine, parent, getSnapshot });
}

/** The state value is bounded in its depth, as the recorder bounds the rest. */
function toSnapshot(snapshot: { readonly status: string; readonly value?: unknown }): Snapshot<unknown> {
  const value: unknown =
    snapshot.value === undefined ? undefined : JSON.parse(renderBoundedJson(snapshot.value));
  const status = statuses.find((known) => known === snapshot.status) ?? "active";
  // The cast: which status goes with which members is of no account here, since the snapshot is only written as JSON.
  return { ...snapshot, status, value } as unknown as Snapshot<unknown>;
}

const statuses = ["active", "done", "error", "stopped"] as const; // const: the names are a union
