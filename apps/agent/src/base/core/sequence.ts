// SPDX-License-Identifier: Apache-2.0

export interface Sequence {
  /** Runs `work` when all that came before it has ended, well or not. */
  run<T>(work: () => T | Promise<T>): Promise<T>;
  /** Resolves when all that came until now has ended. */
  ended(): Promise<void>;
}

/** Work that must not overlap, in the order in which it comes. */
export function createSequence(): Sequence {
  let last: Promise<unknown> = Promise.resolve();
  return {
    run(work) {
      const done = last.then(work);
      last = done.catch(() => {});
      return done;
    },
    async ended() {
      await last;
    },
  };
}
