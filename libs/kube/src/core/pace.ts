// SPDX-License-Identifier: Apache-2.0

import { type BackOff, createBackOff } from "./back-off.ts";

/** When the next request may follow one that has ended, however it ended. */
export interface Pace {
  /** `livedMs`: how long the last one lived. Gives how long to wait, in milliseconds. */
  after(livedMs: number): number;
}

/**
 * The first request that ends early is followed at once, later ones through a back-off, until one has lived for
 * `settledMs`. `random` gives 0 to 1.
 */
export function createPace(settledMs: number, random: () => number): Pace {
  let backOff: BackOff | undefined;
  return {
    after(livedMs) {
      if (livedMs >= settledMs) backOff = undefined;
      if (backOff !== undefined) return backOff.next();
      backOff = createBackOff(random);
      return 0;
    },
  };
}
