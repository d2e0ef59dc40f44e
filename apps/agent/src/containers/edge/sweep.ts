// SPDX-License-Identifier: Apache-2.0
// Checks the cgroups of all containers at intervals: the removal of a container's cgroup is the only sure sign of its end.
// The check runs in slices, so that hook calls do not wait for it.

import type { Lifecycle } from "../core/lifecycle.ts";

/** One stat costs about 4 µs: a slice blocks for well under a millisecond. */
const sliceSize = 100;

/** Returns the function that ends it. */
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
