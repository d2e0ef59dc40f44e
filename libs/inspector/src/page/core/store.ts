// SPDX-License-Identifier: Apache-2.0
// The actors that the page knows as they are now, how many of them are in each state, and the steps of each. An actor
// without a state is not among them.

import type { PageActorMessage, PageEventMessage, PageMessage } from "./messages.ts";
import { type ActorIdentity, type ActorsView, createPageActor, type PageActor } from "./page-actor.ts";
import { type ActorStep, createStepReader } from "./read-steps.ts";
import { createStateCounts } from "./state-counts.ts";
import { listStateIds } from "./state-ids.ts";
import {
  compareSteps,
  createStepLog,
  isMove,
  maxMoves,
  type StepBounds,
  type StepLog,
  type TimelineStep,
} from "./step-log.ts";

export interface StoreBounds extends StepBounds {
  /** Actors that have ended and of which no step is kept; the oldest are dropped. */
  readonly maxEnded: number;
}

/** What is kept of one actor. */
interface Track {
  /** Oldest first. */
  readonly steps: readonly TimelineStep[];
  /** Steps before those that the page had and dropped. */
  readonly dropped: number;
}

export interface PageStore extends ActorsView {
  apply(message: PageMessage): void;
  /** Messages from before all that the page has. Returns whether there was room for all of them. */
  prepend(messages: readonly PageMessage[]): boolean;
  trackOf(sessionId: string): Track;
  /** The steps of all actors. */
  readonly log: StepLog;
  /** The moves that came since the last call, by `apply`; no more than can be seen at once. */
  takeMoves(): readonly TimelineStep[];
  /** Ids of the machines that the program names, and of those that have had actors. */
  machines(): readonly string[];
  /** Events that the program no longer kept when the page asked for them. */
  missed(): number;
  program(): string;
}

interface OpenTrack {
  steps: TimelineStep[];
  dropped: number;
}

const noTrack: Track = { steps: [], dropped: 0 };

export function createStore({ maxEnded, ...bounds }: StoreBounds): PageStore {
  const actors = new Map<string, PageActor>();
  const tracks = new Map<string, OpenTrack>();
  /** Ended actors without a step. */
  const idle = new Set<string>();
  const counts = createStateCounts();
  const machines = new Set<string>();
  const reader = createStepReader();
  let moves: TimelineStep[] = [];
  let missed = 0;
  let program = "";

  const log = createStepLog(bounds, ({ sessionId }) => {
    const track = tracks.get(sessionId);
    track?.steps.shift();
    if (track !== undefined) track.dropped++;
    if (track?.steps.length === 0 && actors.get(sessionId)?.hasEnded === true) setIdle(sessionId);
  });

  const setIdle = (sessionId: string): void => {
    idle.add(sessionId);
    for (const oldest of idle) {
      if (idle.size <= maxEnded) break;
      drop(oldest);
    }
  };

  const drop = (sessionId: string): void => {
    const actor = actors.get(sessionId);
    if (actor !== undefined) counts.remove(actor);
    for (const parts of [actors, tracks, idle]) parts.delete(sessionId);
    reader.forget(sessionId);
  };

  const replace = (actor: PageActor): void => {
    const before = actors.get(actor.sessionId);
    if (before !== undefined) counts.remove(before);
    machines.add(actor.machine);
    actors.set(actor.sessionId, actor);
    counts.add(actor);
  };

  const clear = (): void => {
    for (const sessionId of [...actors.keys()]) drop(sessionId);
    log.clear();
    moves = [];
  };

  const start = (message: PageActorMessage): void => {
    const { changedMs, atMs, snapshot } = message;
    const { value, context, status } = snapshot;
    const states = listStateIds(value);
    // It has not entered its first state; or it has no machine, as the parent of all pods.
    if (states.length === 0) return;
    const position = { states, changedMs, hasEnded: status !== "active", context };
    replace(createPageActor(message, position, atMs));
    if (position.hasEnded) setIdle(message.sessionId);
  };

  const move = ({ step, identity }: ActorStep): void => {
    const { sessionId } = identity;
    replace(toActor(step, identity, actors.get(sessionId)?.sinceMs ?? step.fromSinceMs));
    openTrack(sessionId).steps.push(step);
    log.append(step);
    if (isMove(step) && moves.length < maxMoves) moves.push(step);
  };

  const openTrack = (sessionId: string): OpenTrack => {
    const track = tracks.get(sessionId) ?? { steps: [], dropped: 0 };
    tracks.set(sessionId, track);
    idle.delete(sessionId);
    return track;
  };

  /** An event and its snapshot may be in different parts. */
  const completeFirstStep = ({ sessionId, event, length }: PageEventMessage): void => {
    const track = tracks.get(sessionId);
    const first = track?.steps[0];
    if (track === undefined || first === undefined || first.payload !== undefined) return;
    track.steps[0] = { ...first, payload: event, length: first.length + length };
    log.replace(track.steps[0]);
  };

  const prepend = (messages: readonly PageMessage[]): boolean => {
    const partReader = createStepReader();
    const steps = messages.flatMap((message) => partReader.read(message) ?? []);
    const read = steps.toSorted((one, other) => compareSteps(one.step, other.step));
    partReader.rest().forEach(completeFirstStep);
    const kept = read.slice(read.length - log.prepend(read.map(({ step }) => step)));
    for (const [sessionId, own] of Map.groupBy(kept, ({ identity }) => identity.sessionId)) {
      const [first] = own;
      const last = own.at(-1);
      if (first === undefined || last === undefined) continue;
      const known = actors.get(sessionId) ?? toActor(last.step, last.identity, first.step.fromSinceMs);
      replace({ ...known, sinceMs: Math.min(known.sinceMs, first.step.fromSinceMs) });
      openTrack(sessionId).steps.unshift(...own.map(({ step }) => step));
    }
    return kept.length === read.length;
  };

  return {
    apply(message) {
      if (message.kind === "hello") {
        if (message.actors !== undefined) clear();
        missed += message.missed;
        program = message.program;
        for (const machine of message.machines) machines.add(machine);
      }
      if (message.kind === "actor") start(message);
      const read = reader.read(message);
      if (read !== undefined) move(read);
    },
    prepend,
    actors: () => actors.values(),
    actor: (sessionId) => actors.get(sessionId),
    countOf: counts.of,
    trackOf: (sessionId) => tracks.get(sessionId) ?? noTrack,
    log,
    takeMoves() {
      const taken = moves;
      moves = [];
      return taken;
    },
    machines: () => [...machines],
    missed: () => missed,
    program: () => program,
  };
}

function toActor(step: TimelineStep, identity: ActorIdentity, sinceMs: number): PageActor {
  const { to: states, context, hasEnded } = step;
  return createPageActor(
    identity,
    { states, context, hasEnded, changedMs: isMove(step) ? step.atMs : step.fromSinceMs },
    sinceMs,
  );
}
