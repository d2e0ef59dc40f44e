// SPDX-License-Identifier: Apache-2.0
// An actor as the page shows it: as it is now, or as it was at a moment of the past.

import { type ActorFacts, listTexts, readFacts } from "./actor-facts.ts";
import type { ActorCount } from "./state-counts.ts";

export interface ActorIdentity {
  readonly sessionId: string;
  readonly parentId: string | undefined;
  readonly name: string;
  readonly machine: string;
}

export interface ActorPosition {
  /** From the outermost to the innermost; empty before its first state. */
  readonly states: readonly string[];
  /** When it entered its state. Times are Unix time in milliseconds, with fractions. */
  readonly changedMs: number;
  readonly hasEnded: boolean;
  /** Undefined where it is not recorded. */
  readonly context: unknown;
}

export interface PageActor extends ActorIdentity, ActorPosition {
  readonly sinceMs: number;
  readonly facts: ActorFacts;
  /** In lower case; without its state. */
  readonly searchText: string;
}

/** All actors at one time. */
export interface ActorsView {
  actors(): Iterable<PageActor>;
  actor(sessionId: string): PageActor | undefined;
  countOf(machine: string, state: string): ActorCount;
}

export function createPageActor(
  { sessionId, parentId, name, machine }: ActorIdentity,
  { states, changedMs, hasEnded, context }: ActorPosition,
  sinceMs: number,
): PageActor {
  const facts = readFacts(name, context);
  return {
    ...{ sessionId, parentId, name, machine, states, changedMs, hasEnded, context, sinceMs, facts },
    searchText: `${[name, machine, facts.place].join("\n").toLowerCase()}\n${listTexts(context)}`,
  };
}
