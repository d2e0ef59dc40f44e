// SPDX-License-Identifier: Apache-2.0
// The starts of the last hour that were denied, and those that the agent refused, with the reason of each. Several programs
// report the same start: the agent refuses a call, and then the hook or the NRI plugin denies the container.

import type { DeniedStart } from "@rthooks/explain";

export interface DeniedStarts {
  /**
   * Of reports of the same start the first failure stays: the later ones follow from it. A hook or a plugin that denied the
   * container takes the agent's place as the one who did.
   */
  add(start: DeniedStart): void;
  /** The fail check let the container start. */
  remove(containerId: string): void;
  /** The newest first; `count` includes those that are no longer listed. */
  list(nowMs: number): { readonly starts: readonly DeniedStart[]; readonly count: number };
}

const hourMs = 3_600_000;
const minuteMs = 60_000;
/** Reports of one container within this time are about one start. */
const sameStartMs = minuteMs;
const maxListed = 1000;
/** In UTF-16 code units. The texts come from callers. */
const maxTextLength = 500;

export function createDeniedStarts(): DeniedStarts {
  /** By container id, the oldest first. */
  const starts = new Map<string, DeniedStart>();
  /** How many more there were, by minute. */
  const unlisted = new Map<number, number>();

  const drop = (start: DeniedStart): void => {
    starts.delete(start.containerId);
    const minute = Math.floor(start.atMs / minuteMs);
    unlisted.set(minute, (unlisted.get(minute) ?? 0) + 1);
  };

  const forgetBefore = (atMs: number): void => {
    for (const [containerId, start] of starts) if (start.atMs < atMs) starts.delete(containerId);
    for (const minute of unlisted.keys()) if ((minute + 1) * minuteMs <= atMs) unlisted.delete(minute);
  };

  return {
    add(start) {
      const { containerId } = start;
      const before = starts.get(containerId);
      if (before !== undefined && start.atMs - before.atMs < sameStartMs) {
        starts.set(containerId, { ...before, by: start.by === "agent" ? before.by : start.by });
        return;
      }
      if (before !== undefined) drop(before);
      starts.set(containerId, shorten(start));
      if (starts.size <= maxListed) return;
      forgetBefore(start.atMs - hourMs);
      for (const oldest of starts.values()) {
        if (starts.size <= maxListed) break;
        drop(oldest);
      }
    },
    remove: (containerId) => void starts.delete(containerId),
    list(nowMs) {
      forgetBefore(nowMs - hourMs);
      const listed = [...starts.values()].toReversed();
      const count = [...unlisted.values()].reduce((sum, one) => sum + one, listed.length);
      return { starts: listed, count };
    },
  };
}

const cut = (text: string): string =>
  text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text;

const shorten = ({ failure, ...start }: DeniedStart): DeniedStart => ({
  ...start,
  containerId: cut(start.containerId),
  namespace: cut(start.namespace),
  pod: cut(start.pod),
  container: cut(start.container),
  failure: { ...failure, message: cut(failure.message) },
});
