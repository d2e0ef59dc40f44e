// SPDX-License-Identifier: Apache-2.0
// The actors that the page knows, with their timelines, and how many of them are in each state.

import { type ActorFacts, listTexts, readFacts } from "./actor-facts.ts";
import type { PageActorMessage, PageMessage, PageSnapshotMessage } from "./messages.ts";
import { listStateIds } from "./state-ids.ts";

export interface TimelineStep {
  readonly atMs: number;
  /** The type of the event. */
  readonly event: string;
  readonly payload: unknown;
  /** Innermost states; equal where the event did not lead to another one. */
  readonly from: string;
  readonly to: string;
  /** How long the actor was in `from`. */
  readonly inStateMs: number;
}

export interface PageActor {
  readonly sessionId: string;
  readonly parentId: string | undefined;
  readonly name: string;
  readonly machine: string;
  /** From the outermost to the innermost. */
  readonly states: readonly string[];
  readonly sinceMs: number;
  readonly changedMs: number;
  readonly hasEnded: boolean;
  readonly facts: ActorFacts;
  readonly context: unknown;
  /** The last ones, oldest first. */
  readonly steps: readonly TimelineStep[];
  /** Steps before those. */
  readonly droppedSteps: number;
  /** In lower case. */
  readonly searchText: string;
}

interface StateCount {
  readonly living: number;
  readonly ended: number;
}

/** A change of state, for the chart. */
export interface TakenTransition {
  readonly machine: string;
  readonly sessionId: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
}

export interface StoreBounds {
  /** Actors that have ended; the oldest are dropped. */
  readonly maxEnded: number;
  /** Of one actor. */
  readonly maxSteps: number;
}

export interface PageStore {
  apply(message: PageMessage): void;
  /** In the order of their start. */
  actors(): Iterable<PageActor>;
  actor(sessionId: string): PageActor | undefined;
  countOf(machine: string, state: string): StateCount;
  /** Ids of the machines that the program names, and of those that have had actors. */
  machines(): readonly string[];
  /** Events that the program no longer kept when the page asked for them. */
  missed(): number;
  program(): string;
  /** The transitions since the last call. */
  takeTransitions(): readonly TakenTransition[];
}

const none: StateCount = { living: 0, ended: 0 };
/** More than these at once cannot be seen. */
const maxTransitions = 200;

export function createStore({ maxEnded, maxSteps }: StoreBounds): PageStore {
  const actors = new Map<string, PageActor>();
  const ended = new Set<string>();
  const counts = new Map<string, StateCount>();
  const events = new Map<string, unknown>();
  const machines = new Set<string>();
  let transitions: TakenTransition[] = [];
  let missed = 0;
  let program = "";

  const count = ({ machine, states, hasEnded }: PageActor, by: 1 | -1): void => {
    for (const state of states) {
      const key = `${machine} ${state}`;
      const { living, ended } = counts.get(key) ?? none;
      counts.set(key, hasEnded ? { living, ended: ended + by } : { living: living + by, ended });
    }
  };

  const replace = (actor: PageActor): void => {
    const before = actors.get(actor.sessionId);
    if (before !== undefined) count(before, -1);
    actors.set(actor.sessionId, actor);
    count(actor, 1);
    if (actor.hasEnded) ended.add(actor.sessionId);
    for (const oldest of ended) {
      if (ended.size <= maxEnded) break;
      drop(oldest);
    }
  };

  const drop = (sessionId: string): void => {
    const actor = actors.get(sessionId);
    if (actor !== undefined) count(actor, -1);
    ended.delete(sessionId);
    events.delete(sessionId);
    actors.delete(sessionId);
  };

  const clear = (): void => {
    for (const sessionId of [...actors.keys()]) drop(sessionId);
    transitions = [];
  };

  const start = (message: PageActorMessage): void => {
    machines.add(message.machine);
    const { sessionId, parentId, name, machine, atMs, changedMs, snapshot } = message;
    replace({
      ...{ sessionId, parentId, name, machine, changedMs },
      sinceMs: atMs,
      ...toPosition(name, machine, snapshot),
      steps: [],
      droppedSteps: 0,
    });
  };

  const change = ({ sessionId, atMs, eventType, snapshot }: PageSnapshotMessage): void => {
    const actor = actors.get(sessionId);
    if (actor === undefined) return;
    const position = toPosition(actor.name, actor.machine, snapshot);
    const from = actor.states.at(-1) ?? "";
    const to = position.states.at(-1) ?? "";
    const step: TimelineStep = {
      ...{ atMs, from, to },
      event: eventType,
      payload: events.get(sessionId),
      inStateMs: atMs - actor.changedMs,
    };
    events.delete(sessionId);
    const kept = actor.steps.slice(Math.max(0, actor.steps.length + 1 - maxSteps));
    replace({
      ...actor,
      ...position,
      changedMs: from === to ? actor.changedMs : atMs,
      steps: [...kept, step],
      droppedSteps: actor.droppedSteps + actor.steps.length - kept.length,
    });
    if (from !== to && transitions.length < maxTransitions)
      transitions.push({ machine: actor.machine, sessionId, from: actor.states, to: position.states });
  };

  return {
    apply(message) {
      switch (message.kind) {
        case "hello":
          if (message.actors !== undefined) clear();
          missed += message.missed;
          program = message.program;
          for (const machine of message.machines) machines.add(machine);
          break;
        case "actor":
          start(message);
          break;
        case "event":
          if (actors.has(message.sessionId)) events.set(message.sessionId, message.event);
          break;
        case "snapshot":
          change(message);
          break;
      }
    },
    actors: () => actors.values(),
    actor: (sessionId) => actors.get(sessionId),
    countOf: (machine, state) => counts.get(`${machine} ${state}`) ?? none,
    machines: () => [...machines],
    missed: () => missed,
    program: () => program,
    takeTransitions() {
      const taken = transitions;
      transitions = [];
      return taken;
    },
  };
}

function toPosition(
  name: string,
  machine: string,
  { status, value, context }: PageSnapshotMessage["snapshot"],
) {
  const states = listStateIds(value);
  const facts = readFacts(name, context);
  const searchText = [name, machine, states.at(-1) ?? "", facts.place].join("\n").toLowerCase();
  return {
    states,
    facts,
    context,
    hasEnded: status !== "active",
    searchText: `${searchText}\n${listTexts(context)}`,
  };
}
