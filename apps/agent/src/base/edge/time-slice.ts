// SPDX-License-Identifier: Apache-2.0

/** Milliseconds that background work may hold the event loop, and that it then leaves to other work. */
const SLICE_MS = 2;
/** A gRPC call takes several turns of the event loop; this pause is long enough for all of them. */
const REST_MS = 4;

/** Call it before each piece of work. Returns a promise to wait for when the slice is used up. */
export function createTimeSlice(): () => Promise<void> | undefined {
  let began = -Infinity;
  return () => {
    const now = performance.now();
    // The work was idle for longer than a slice: a new slice begins.
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
