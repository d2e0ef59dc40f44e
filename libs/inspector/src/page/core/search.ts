// SPDX-License-Identifier: Apache-2.0

export interface SearchedActor {
  /** In lower case; without its state. */
  readonly searchText: string;
  /** From the outermost to the innermost. */
  readonly states: readonly string[];
  readonly machine: string;
  readonly hasEnded: boolean;
}

export interface ActorQuery {
  /** Words that all must be found, in any order. */
  readonly text: string;
  /** The id of a machine; empty for all. */
  readonly machine: string;
  readonly includesEnded: boolean;
}

export function findActors<Actor extends SearchedActor>(
  actors: Iterable<Actor>,
  { text, machine, includesEnded }: ActorQuery,
): readonly Actor[] {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const found: Actor[] = [];
  for (const actor of actors) {
    if (machine !== "" && actor.machine !== machine) continue;
    if (actor.hasEnded && !includesEnded) continue;
    const state = actor.states.at(-1)?.toLowerCase() ?? "";
    if (words.every((word) => actor.searchText.includes(word) || state.includes(word))) found.push(actor);
  }
  return found;
}
