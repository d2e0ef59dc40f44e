// SPDX-License-Identifier: Apache-2.0

/** A number of events a minute: so many at once, and one more whenever its part of the minute is over. */
export function createRateLimit(perMinute: number, nowMs: () => number): () => boolean {
  let tokens = perMinute;
  let lastMs = nowMs();
  return () => {
    const now = nowMs();
    tokens = Math.min(perMinute, tokens + ((now - lastMs) * perMinute) / 60_000);
    lastMs = now;
    if (tokens < 1) return false;
    tokens--;
    return true;
  };
}
