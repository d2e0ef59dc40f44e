// SPDX-License-Identifier: Apache-2.0

import { type BackOff, createBackOff } from "./back-off.ts";

/** The pause between the end of one request and the next, for requests that live long. */
export interface Pace {
  /** `livedMs`: the lifetime of the ended request. Returns the pause in milliseconds. */
  after(livedMs: number): number;
}

/**
 * No pause after the first short request, a back-off after later ones, until a request lives for `settledMs`. `random`
 * returns 0 to 1.
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
