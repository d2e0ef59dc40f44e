// SPDX-License-Identifier: Apache-2.0

export interface Turns {
  /** A key that already waits keeps its place. */
  add(key: string): void;
  isIdle(): boolean;
  close(): void;
}

/**
 * Runs `work` for one key after the other, in the order of arrival, and lets the event loop run in between. A key that
 * arrives several times while another is worked on runs once. `onIdle`: the queue is empty.
 */
export function takeTurns(work: (key: string) => Promise<void>, onIdle: () => void): Turns {
  const waiting = new Set<string>();
  let isBusy = false;

  const run = async (): Promise<void> => {
    isBusy = true;
    try {
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        const [key] = waiting;
        if (key === undefined) break;
        waiting.delete(key);
        await work(key);
      }
    } finally {
      isBusy = false;
    }
    if (waiting.size > 0) void run();
    else onIdle();
  };

  return {
    add(key) {
      waiting.add(key);
      if (!isBusy) void run();
    },
    isIdle: () => !isBusy && waiting.size === 0,
    close: () => waiting.clear(),
  };
}
