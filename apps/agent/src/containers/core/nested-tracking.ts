// SPDX-License-Identifier: Apache-2.0
// Keeps the cgroups below containers' roots under the containers' policies.

import type { Logger } from "@rthooks/log";
import type { Cgroup } from "@rthooks/machines/pod";
import type { CgroupResolver } from "../../cgroups/core/cgroup-resolver.ts";
import { followNested, maxNested } from "../../cgroups/core/nested-cgroups.ts";
import type { NestedWatch } from "../../cgroups/core/nested-watch.ts";
import type { PolicyFilter } from "../../filter/core/policy-filter.ts";
import { createNestedLooks, type LooksOptions } from "./nested-looks.ts";

export interface NestedTracking {
  /** There may be cgroups below the container's root that are not followed yet, or others that are gone. */
  ask(containerId: string): void;
  /** Whether some are followed. */
  has(containerId: string): boolean;
  /** It is not in the policies any more. */
  forget(containerId: string): void;
  close(): void;
}

export interface TrackingOptions extends Omit<LooksOptions, "look"> {
  readonly cgroupResolver: CgroupResolver;
  readonly policyFilter: Pick<PolicyFilter, "setNested">;
  readonly nestedWatch: Pick<NestedWatch, "set">;
  readonly log: Logger;
  findRoot(containerId: string): Cgroup | undefined;
}

export function createNestedTracking(options: TrackingOptions): NestedTracking {
  const { cgroupResolver, policyFilter, nestedWatch, log, findRoot } = options;
  const nestedOf = new Map<string, readonly Cgroup[]>();
  /** With more cgroups than are followed: reported once. */
  const full = new Set<string>();

  const reportFull = (containerId: string): void => {
    if (full.has(containerId)) return;
    full.add(containerId);
    log.warn("container has more cgroups below its own than are followed", {
      containerID: containerId,
      followed: maxNested,
    });
  };

  const look = (containerId: string): boolean => {
    const root = findRoot(containerId);
    const now = root === undefined ? "gone" : cgroupResolver.inspect(root);
    if (root === undefined || now === "gone" || now === "unreadable") return false;
    const found = now === "leaf" ? noneFound : cgroupResolver.listNested(root);
    // What cannot be read just now may all be there.
    if (found === undefined) return false;
    const step = followNested(
      nestedOf.get(containerId) ?? [],
      found,
      (one) => cgroupResolver.inspect(one) !== "gone",
    );
    if (step.isFull) reportFull(containerId);
    if (step.cgroups.length === 0) nestedOf.delete(containerId);
    else nestedOf.set(containerId, step.cgroups);
    const ids = step.cgroups.map(({ id }) => id);
    policyFilter.setNested(containerId, ids);
    // What was made before a watch was there raises no event: hence another look after each watch that is new.
    const hasNewWatch = nestedWatch.set(containerId, [root, ...step.cgroups]);
    return step.hasMore || hasNewWatch;
  };
  const looks = createNestedLooks({ ...options, look });

  return {
    ask: looks.ask,
    has: (containerId) => nestedOf.has(containerId),
    forget(containerId) {
      full.delete(containerId);
      nestedOf.delete(containerId);
      looks.forget(containerId);
    },
    close: looks.close,
  };
}

const noneFound = { cgroups: [], isComplete: true };
