// SPDX-License-Identifier: Apache-2.0

export interface Turns {
  /** One that waits already keeps its place. */
  add(key: string): void;
  isIdle(): boolean;
  close(): void;
}

/**
 * Does `work` for one key after the other, in the order in which they came, with the event loop's other work in between.
 * However often a key comes while another has its turn, it has one. `onIdle`: none waits any more.
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
