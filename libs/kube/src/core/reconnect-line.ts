// SPDX-License-Identifier: Apache-2.0
// The order in which the watches of one process reconnect. When an API server restarts, the watches of all nodes end at the
// same moment: each process sends at most one request in a window, at a random moment of it, so that N nodes send N requests
// in a window however many watches each has, and however many API servers are left.

export interface ReconnectWindows {
  /** The first window, in milliseconds; each request without an answer doubles it. */
  readonly firstMs: number;
  readonly longestMs: number;
}

/** Any monotonic clock. */
export interface ReconnectClock {
  nowMs(): number;
  /** Resolves after the time, or when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface ReconnectTurn {
  /** The server answered the request, in whatever way but for the ones below. Further calls of the turn do nothing. */
  answered(): void;
  /** There was no answer, or it was "not now" (429, 5xx). `retryAfterMs`: no request of the process before that. */
  refused(retryAfterMs: number): void;
}

export interface ReconnectLine {
  /**
   * Resolves at the moment of the request. The next turn begins when this one has ended or its window is over. It resolves
   * at once when the signal aborts.
   */
  enter(signal: AbortSignal): Promise<ReconnectTurn>;
}

/** `random` returns 0 to 1. */
export function createReconnectLine(
  { firstMs, longestMs }: ReconnectWindows,
  clock: ReconnectClock,
  random: () => number,
): ReconnectLine {
  let last: Promise<void> = Promise.resolve();
  let windowMs = firstMs;
  /** When the window of the last request ends. Windows do not overlap. */
  let endMs = Number.NEGATIVE_INFINITY;

  const nextPauseMs = (): number => {
    const nowMs = clock.nowMs();
    const startMs = Math.max(nowMs, endMs);
    endMs = startMs + windowMs;
    return startMs + random() * windowMs - nowMs;
  };

  return {
    async enter(signal) {
      const before = last;
      const { promise, resolve } = Promise.withResolvers<void>();
      last = promise;
      await before;
      if (!signal.aborted) await clock.sleep(nextPauseMs(), signal);
      if (signal.aborted) resolve();
      // A proxy may hold an answer back until the first bytes: the others wait for it until the window ends, no longer.
      else void clock.sleep(endMs - clock.nowMs(), signal).then(resolve);
      let isOver = false;
      const end = (next: () => void): void => {
        if (isOver) return;
        isOver = true;
        next();
        resolve();
      };
      return {
        answered: () =>
          end(() => {
            windowMs = firstMs;
          }),
        refused: (retryAfterMs) =>
          end(() => {
            windowMs = Math.min(windowMs * 2, longestMs);
            endMs = Math.max(endMs, clock.nowMs() + retryAfterMs);
          }),
      };
    },
  };
}
