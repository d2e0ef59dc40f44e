// SPDX-License-Identifier: Apache-2.0
// How many actors are in each state of each machine.

export interface ActorCount {
  readonly living: number;
  readonly ended: number;
}

interface CountedActor {
  readonly machine: string;
  readonly states: readonly string[];
  readonly hasEnded: boolean;
}

export interface StateCounts {
  add(actor: CountedActor): void;
  remove(actor: CountedActor): void;
  of(machine: string, state: string): ActorCount;
}

const none: ActorCount = { living: 0, ended: 0 };

export function createStateCounts(): StateCounts {
  const counts = new Map<string, ActorCount>();
  const change = ({ machine, states, hasEnded }: CountedActor, by: 1 | -1): void => {
    for (const state of states) {
      const key = `${machine} ${state}`;
      const { living, ended } = counts.get(key) ?? none;
      counts.set(key, hasEnded ? { living, ended: ended + by } : { living: living + by, ended });
    }
  };
  return {
    add: (actor) => change(actor, 1),
    remove: (actor) => change(actor, -1),
    of: (machine, state) => counts.get(`${machine} ${state}`) ?? none,
  };
}

/** The state with the most actors, the first of several; undefined where none has any. */
export function findBusiest(
  states: Iterable<string>,
  countOf: (state: string) => number,
): string | undefined {
  let busiest: string | undefined;
  let most = 0;
  for (const state of states) {
    const count = countOf(state);
    if (count > most) busiest = state;
    most = Math.max(most, count);
  }
  return busiest;
}
