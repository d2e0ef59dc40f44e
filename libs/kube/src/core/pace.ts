// SPDX-License-Identifier: Apache-2.0

import { type BackOff, createBackOff } from "@rthooks/net";

/** Of requests to an API server. */
const range = { firstMs: 200, longestMs: 30_000 };

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
      backOff = createBackOff(range, random);
      return 0;
    },
  };
}
