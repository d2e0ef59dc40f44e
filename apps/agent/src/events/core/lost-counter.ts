// SPDX-License-Identifier: Apache-2.0
// How many records the programs in the kernel could not write: their counters go on while no thread reads events, and are
// those of all agents of the node.

import type { RecordKind } from "@rthooks/bpf";
import { noStatistics } from "./event-statistics.ts";

/** Counters of the kernel by the kind of the record. */
export type LostCounts = ReadonlyMap<RecordKind, bigint>;

/** Where a thread goes on with the count of the one before. */
export interface LostBefore {
  /** At the start of the agent. */
  readonly first: LostCounts;
  /** Of those since then, how many have been told. */
  readonly told: number;
}

export interface LostCounter {
  readonly first: LostCounts;
  /** Since the start of the agent, and since the last call. */
  count(): { readonly lost: Readonly<Record<RecordKind, number>>; readonly added: number };
}

/** `read`: undefined where they cannot be read now. */
export function createLostCounter(
  read: () => LostCounts | undefined,
  before: LostBefore | undefined,
): LostCounter {
  const first: LostCounts = before?.first ?? read() ?? new Map();
  let last = first;
  let told = before?.told ?? 0;
  return {
    first,
    count() {
      last = read() ?? last;
      const lost = { ...noStatistics.lost };
      for (const [kind, count] of last) lost[kind] = Number(count - (first.get(kind) ?? 0n));
      const sum = sumLost(lost);
      const added = Math.max(0, sum - told);
      told += added;
      return { lost, added };
    },
  };
}

export const sumLost = (lost: Readonly<Record<RecordKind, number>>): number =>
  Object.values(lost).reduce((sum, one) => sum + one, 0);
