// SPDX-License-Identifier: Apache-2.0

/** Runs `work` again and again with pauses, not while the page is hidden. The result runs it now, and starts the pauses. */
export function repeatWhileVisible(pauseMs: number, work: () => Promise<void>): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isRunning = false;
  let isWanted = false;

  const run = async (): Promise<void> => {
    clearTimeout(timer);
    isWanted = true;
    if (isRunning || document.hidden) return;
    isRunning = true;
    while (isWanted) {
      isWanted = false;
      await work();
    }
    isRunning = false;
    timer = setTimeout(() => void run(), pauseMs);
  };

  document.addEventListener("visibilitychange", () => void run());
  return () => void run();
}
