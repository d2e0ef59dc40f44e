// SPDX-License-Identifier: Apache-2.0
import { dumpPolicyFilter } from "../../../tests/harness/bpf-fs.ts";

/** A way in which containers come to an agent's notice. */
export interface SoakLane {
  readonly name: string;
  /** The project's processes that live through all of it, by name. */
  readonly pids: Readonly<Record<string, number>>;
  /** Where the agent pins its maps. */
  readonly bpfDir: string;
  /** Starts so many containers, each of which the agent has answered for and which run when this returns. */
  start(count: number): Promise<void>;
  /** Ends and removes all of them. */
  remove(): Promise<void>;
  /** Containers that the agent has on record. */
  countKnown(): Promise<number>;
}

/** Entries of all policies' maps together. */
export const countMapEntries = ({ bpfDir }: SoakLane): number =>
  [...dumpPolicyFilter(bpfDir).values()].reduce((sum, { size }) => sum + size, 0);

/** Runs the work for each item, so many at once. */
export async function forEachOf<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const waiting = [...items];
  const runOne = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await work(next);
  };
  await Promise.all(Array.from({ length: atOnce }, runOne));
}
