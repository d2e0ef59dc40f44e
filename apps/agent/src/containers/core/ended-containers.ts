// SPDX-License-Identifier: Apache-2.0
// The containers that ended or were refused lately, with what is needed to explain them.

import type { ContainerFacts } from "./container-facts.ts";

export interface EndedContainers {
  /** Forgets the oldest ones while there are too many. */
  add(facts: ContainerFacts): void;
  find(containerId: string): ContainerFacts | undefined;
  /** From the oldest to the newest. */
  list(): Iterable<ContainerFacts>;
}

/** The number of failed containers on record. */
const MAX_ENDED = 1000;
/** Of all names, labels and messages together, in UTF-16 code units: those of 1,000 usual containers, with a margin. */
const MAX_TEXT = 2 * 1024 * 1024;

export function createEndedContainers(maxEnded = MAX_ENDED, maxText = MAX_TEXT): EndedContainers {
  const ended = new Map<string, ContainerFacts>();
  let text = 0;
  const remove = (containerId: string): void => {
    const facts = ended.get(containerId);
    if (facts === undefined) return;
    ended.delete(containerId);
    text -= countText(facts);
  };
  return {
    add(facts) {
      const { containerId } = facts.report;
      remove(containerId);
      ended.set(containerId, facts);
      text += countText(facts);
      for (const oldest of ended.keys()) {
        if (ended.size <= maxEnded && text <= maxText) break;
        remove(oldest);
      }
    },
    find: (containerId) => ended.get(containerId),
    list: () => ended.values(),
  };
}

function countText({ report, pod, cgroup, failure }: ContainerFacts): number {
  let length = report.image.length + report.cgroupsPath.length + (cgroup?.path.length ?? 0);
  length += failure?.message.length ?? 0;
  // Containers of one pod share its labels; they count for each, since any of them can be the last one.
  for (const labels of [pod?.labels, report.podLabels]) {
    for (const [key, value] of labels ?? []) length += key.length + value.length;
  }
  return length;
}
