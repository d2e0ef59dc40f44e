// SPDX-License-Identifier: Apache-2.0
// How long the filters of one client may take: they run before the events of all others.

/** Of each second. */
const allowedMs = 250;
const windowMs = 1000;

/** Returns false when the client has used up its time. */
export function createFilterBudget(): (spentMs: number, nowMs: number) => boolean {
  let beganMs = Number.NEGATIVE_INFINITY;
  let spent = 0;
  return (spentMs, nowMs) => {
    if (nowMs - beganMs > windowMs) {
      beganMs = nowMs;
      spent = 0;
    }
    spent += spentMs;
    return spent <= allowedMs;
  };
}
