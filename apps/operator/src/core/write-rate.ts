// SPDX-License-Identifier: Apache-2.0
// How many requests in a second a program sends: a bucket of tokens that fills at a fixed rate.

interface Rate {
  readonly perSecond: number;
  /** Requests at once after a time without any. */
  readonly burst: number;
}

export interface WriteRate {
  /** Milliseconds until the next request may be sent; 0: now. `nowMs`: of any monotonic clock. */
  waitMs(nowMs: number): number;
  /** A request is sent. */
  take(): void;
}

export function createWriteRate({ perSecond, burst }: Rate): WriteRate {
  let tokens = burst;
  let filledMs: number | undefined;
  return {
    waitMs(nowMs) {
      tokens = Math.min(burst, tokens + ((nowMs - (filledMs ?? nowMs)) * perSecond) / 1000);
      filledMs = nowMs;
      return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) * 1000) / perSecond);
    },
    take() {
      tokens--;
    },
  };
}
