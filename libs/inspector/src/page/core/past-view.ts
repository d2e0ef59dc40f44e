// SPDX-License-Identifier: Apache-2.0
// All actors as they were at a moment of the past.

import type { ActorsView, PageActor } from "./page-actor.ts";
import { createStateCounts } from "./state-counts.ts";
import { isMove, isTaken, type Moment, type TimelineStep } from "./step-log.ts";
import type { PageStore } from "./store.ts";

export function createPastView(store: Pick<PageStore, "actors" | "trackOf">, moment: Moment): ActorsView {
  const actors = new Map<string, PageActor>();
  const counts = createStateCounts();
  for (const actor of store.actors()) {
    const past = toPast(actor, store.trackOf(actor.sessionId).steps, moment);
    if (past === undefined) continue;
    actors.set(past.sessionId, past);
    counts.add(past);
  }
  return {
    actors: () => actors.values(),
    actor: (sessionId) => actors.get(sessionId),
    countOf: counts.of,
  };
}

/** Undefined for an actor that had not started. */
function toPast(actor: PageActor, steps: readonly TimelineStep[], moment: Moment): PageActor | undefined {
  if (actor.sinceMs > moment.atMs) return undefined;
  const newest = steps.at(-1);
  if (newest === undefined || isTaken(newest, moment)) return actor;
  const later = steps.findIndex((step) => !isTaken(step, moment));
  const next = steps[later];
  if (next === undefined) return actor;
  const last = steps[later - 1];
  // It starts with its first step.
  if (last === undefined && next.from.length === 0) return undefined;
  if (last === undefined)
    return { ...actor, states: next.from, changedMs: next.fromSinceMs, hasEnded: false, context: undefined };
  const { to: states, hasEnded, context } = last;
  return { ...actor, states, hasEnded, context, changedMs: isMove(last) ? last.atMs : last.fromSinceMs };
}
