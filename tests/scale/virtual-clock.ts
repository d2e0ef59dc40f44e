// SPDX-License-Identifier: Apache-2.0
// A clock that moves only when everything waits for it: a thousand nodes for minutes in a moment.

export interface VirtualClock {
  nowMs(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs until the time, or until nothing waits. */
  runUntil(ms: number): Promise<void>;
}

export function createVirtualClock(): VirtualClock {
  let nowMs = 0;
  const waiting: { readonly atMs: number; readonly resolve: () => void }[] = [];
  return {
    nowMs: () => nowMs,
    sleep: (ms) => new Promise((resolve) => void waiting.push({ atMs: nowMs + Math.max(0, ms), resolve })),
    async runUntil(ms) {
      for (;;) {
        // All promises that can go on without time go on.
        await new Promise((resolve) => setImmediate(resolve));
        const nextMs = waiting.reduce((least, { atMs }) => Math.min(least, atMs), Number.POSITIVE_INFINITY);
        if (nextMs > ms) break;
        // Some milliseconds at once: what is due within them cannot matter to the counts of a second.
        nowMs = Math.max(nowMs, nextMs + 2);
        const due = waiting.filter(({ atMs }) => atMs <= nowMs);
        const later = waiting.filter(({ atMs }) => atMs > nowMs);
        waiting.splice(0, waiting.length, ...later);
        for (const { resolve } of due) resolve();
      }
      nowMs = ms;
    },
  };
}
