// SPDX-License-Identifier: Apache-2.0
// Messages as steps of timelines: an event, and the snapshot that follows it.

import type { PageEventMessage, PageMessage, PageSnapshotMessage } from "./messages.ts";
import type { ActorIdentity } from "./page-actor.ts";
import { listStateIds } from "./state-ids.ts";
import type { TimelineStep } from "./step-log.ts";

/** A step, and whose it is. */
export interface ActorStep {
  readonly step: TimelineStep;
  readonly identity: ActorIdentity;
}

export interface StepReader {
  /** A step for a snapshot with a state, undefined for other messages. */
  read(message: PageMessage): ActorStep | undefined;
  /** The events whose snapshots were not read. */
  rest(): readonly PageEventMessage[];
  /** Forgets the event of an actor that is dropped. */
  forget(sessionId: string): void;
}

export function createStepReader(): StepReader {
  const events = new Map<string, PageEventMessage>();
  return {
    read(message) {
      if (message.kind === "event") events.set(message.sessionId, message);
      if (message.kind !== "snapshot") return undefined;
      const event = events.get(message.sessionId);
      events.delete(message.sessionId);
      const { sessionId, parentId, name, machine } = message;
      const step = toStep(message, event);
      return step.to.length === 0 ? undefined : { step, identity: { sessionId, parentId, name, machine } };
    },
    rest: () => [...events.values()],
    forget: (sessionId) => void events.delete(sessionId),
  };
}

function toStep(message: PageSnapshotMessage, event: PageEventMessage | undefined): TimelineStep {
  const { sequence, sessionId, machine, atMs, from, fromSinceMs, eventType, snapshot, length } = message;
  return {
    ...{ sequence, sessionId, machine, atMs, from, fromSinceMs, event: eventType },
    payload: event?.event,
    to: listStateIds(snapshot.value),
    hasEnded: snapshot.status !== "active",
    context: snapshot.context,
    length: length + (event?.length ?? 0),
  };
}
