// SPDX-License-Identifier: Apache-2.0

/** How long work that is not waited for may hold the event loop, and how long other work then has it, in milliseconds. */
const SLICE_MS = 2;
/** A call takes some turns of the event loop: it has them all in here. */
const REST_MS = 4;

/** To be asked before each piece of work: what to wait for where the slice is used up. */
export function createTimeSlice(): () => Promise<void> | undefined {
  let began = -Infinity;
  return () => {
    const now = performance.now();
    // Longer ago than any slice lasts: it was idle in between.
    if (now - began > 10 * SLICE_MS) began = now;
    if (now - began < SLICE_MS) return undefined;
    return new Promise((resolve) => {
      setTimeout(() => {
        began = performance.now();
        resolve();
      }, REST_MS);
    });
  };
}
