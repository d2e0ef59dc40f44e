// SPDX-License-Identifier: Apache-2.0
// Keeps the nested cgroups of containers in the policy filter.

import type { Logger } from "@rthooks/log";
import type { Cgroup } from "@rthooks/machines/pod";
import type { CgroupResolver } from "../../cgroups/core/cgroup-resolver.ts";
import { followNested, maxNested } from "../../cgroups/core/nested-cgroups.ts";
import type { NestedWatch } from "../../cgroups/core/nested-watch.ts";
import type { PolicyFilter } from "../../filter/core/policy-filter.ts";
import { createNestedRefreshes, type RefreshesOptions } from "./nested-refreshes.ts";

export interface NestedTracking {
  /** Cgroups below the container's root may have come or gone. */
  refresh(containerId: string): void;
  /** Whether the container has nested cgroups. */
  has(containerId: string): boolean;
  /** The policy filter does not have the container any more. */
  forget(containerId: string): void;
  close(): void;
}

export interface TrackingOptions extends Omit<RefreshesOptions, "refresh"> {
  readonly cgroupResolver: CgroupResolver;
  readonly policyFilter: Pick<PolicyFilter, "setNested">;
  readonly nestedWatch: Pick<NestedWatch, "set">;
  readonly log: Logger;
  findRoot(containerId: string): Cgroup | undefined;
}

export function createNestedTracking(options: TrackingOptions): NestedTracking {
  const { cgroupResolver, policyFilter, nestedWatch, log, findRoot } = options;
  const nestedOf = new Map<string, readonly Cgroup[]>();
  /** Containers with more cgroups than are followed: each is logged once. */
  const full = new Set<string>();

  const reportFull = (containerId: string): void => {
    if (full.has(containerId)) return;
    full.add(containerId);
    log.warn("too many cgroups below the container's: following the first ones only", {
      containerID: containerId,
      followed: maxNested,
    });
  };

  const refresh = (containerId: string): boolean => {
    const root = findRoot(containerId);
    const state = root === undefined ? "gone" : cgroupResolver.inspect(root);
    if (root === undefined || state === "gone" || state === "unreadable") return false;
    const found = state === "leaf" ? noneFound : cgroupResolver.listNested(root);
    // Unreadable now: the nested cgroups may still exist.
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
    // Cgroups created before their parent's watch exists raise no event, so refresh again after adding one.
    const hasNewWatch = nestedWatch.set(containerId, [root, ...step.cgroups]);
    return step.hasMore || hasNewWatch;
  };
  const refreshes = createNestedRefreshes({ ...options, refresh });

  return {
    refresh: refreshes.request,
    has: (containerId) => nestedOf.has(containerId),
    forget(containerId) {
      full.delete(containerId);
      nestedOf.delete(containerId);
      refreshes.forget(containerId);
    },
    close: refreshes.close,
  };
}

const noneFound = { cgroups: [], isComplete: true };
