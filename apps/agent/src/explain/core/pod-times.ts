// SPDX-License-Identifier: Apache-2.0
// When the pod source reported each of its pods: Unix time in milliseconds.

import type { PodQuery, PodSource } from "../../pods/core/pod-source.ts";

export interface PodTimes {
  readonly firstMs: number;
  /** When its names or labels became what they are. */
  readonly changedMs: number;
}

export interface PodClock {
  /** Undefined for a pod that the source does not have. */
  find(pod: PodQuery): PodTimes | undefined;
  close(): void;
}

/** Of a pod that the source has already, the time is now. */
export function followPodTimes(
  source: Pick<PodSource, "find" | "list" | "subscribe">,
  nowMs: () => number,
): PodClock {
  const timesOf = new Map<string, PodTimes>();
  const startMs = nowMs();
  for (const { uid } of source.list()) timesOf.set(uid, { firstMs: startMs, changedMs: startMs });
  const close = source.subscribe(({ kind, pod: { uid } }) => {
    if (kind === "containers") return;
    if (kind !== "changed") return void timesOf.delete(uid);
    const changedMs = nowMs();
    timesOf.set(uid, { firstMs: timesOf.get(uid)?.firstMs ?? changedMs, changedMs });
  });
  return {
    // A static pod has another UID in the source.
    find: (query) => timesOf.get(source.find(query)?.uid ?? ""),
    close,
  };
}
