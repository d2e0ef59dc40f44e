// SPDX-License-Identifier: Apache-2.0
// Notices that containers are gone: nobody tells the agent of a container's end, but its cgroup directory
// disappears. The look at all of them is cut in slices, so that hook calls never wait for it.

import type { Lifecycle } from "../core/lifecycle.ts";

/** One stat costs about 4 µs: a slice blocks for well under a millisecond. */
const sliceSize = 100;

/** Gives the function that ends it. */
export function startSweep(lifecycle: Lifecycle, intervalMs: number): () => void {
  let timer: ReturnType<typeof setTimeout>;
  let slice: ReturnType<typeof setImmediate> | undefined;
  const begin = (): void => {
    const containerIds = lifecycle.containerIds();
    let next = 0;
    const step = (): void => {
      const end = Math.min(next + sliceSize, containerIds.length);
      for (; next < end; next++) lifecycle.checkCgroup(containerIds[next] ?? "");
      if (next < containerIds.length) slice = setImmediate(step);
      else timer = setTimeout(begin, intervalMs);
    };
    step();
  };
  timer = setTimeout(begin, intervalMs);
  return () => {
    clearTimeout(timer);
    if (slice !== undefined) clearImmediate(slice);
  };
}
