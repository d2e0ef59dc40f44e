// SPDX-License-Identifier: Apache-2.0

import { toPauseMs } from "@rthooks/net";

/** Of requests to an API server. */
const range = { firstMs: 200, longestMs: 30_000 };

/** The pause between the end of one request and the next, for requests that live long. */
export interface Pace {
  /** `livedMs`: the lifetime of the ended request. Returns the pause in milliseconds. */
  after(livedMs: number): number;
}

/**
 * No pause after the first short request, a back-off after later ones, until a request lives for `settledMs`. `random`
 * returns 0 to 1, and a pause is between 0 and the back-off: what ends the requests of one node ends those of others.
 */
export function createPace(settledMs: number, random: () => number): Pace {
  let short = 0;
  return {
    after(livedMs) {
      if (livedMs >= settledMs) short = 0;
      short++;
      return short === 1 ? 0 : random() * toPauseMs(short - 1, range);
    },
  };
}
