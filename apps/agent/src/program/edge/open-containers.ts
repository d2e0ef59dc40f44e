// SPDX-License-Identifier: Apache-2.0
// The lifecycle of the node's containers, with what finds them, their cgroups, and their ends.

import type { Inspect } from "@rthooks/machines/inspection";
import { systemTime } from "../../base/edge/system-time.ts";
import type { CgroupResolver } from "../../cgroups/core/cgroup-resolver.ts";
import { createCgroupResolver } from "../../cgroups/edge/cgroup-resolver.ts";
import type { CgroupRoot } from "../../cgroups/edge/find-cgroup-root.ts";
import { createContainerPolicies } from "../../containers/core/container-policies.ts";
import { createLifecycle, type Lifecycle } from "../../containers/core/lifecycle.ts";
import { type ContainerFinder, openContainerFinder } from "../../containers/edge/container-finder.ts";
import type { CriFollower } from "../../containers/edge/follow-cri.ts";
import { startSweep } from "../../containers/edge/sweep.ts";
import type { Enforcement } from "../../enforcement/core/enforcement.ts";
import { type EventContainers, reportContainers } from "../../events/core/reported-containers.ts";
import type { PolicyFilter } from "../../filter/core/policy-filter.ts";
import { sweepInherited } from "../../filter/edge/sweep-inherited.ts";
import type { PodSource } from "../../pods/core/pod-source.ts";
import type { AgentOptions } from "./agent-options.ts";

export interface ContainerParts {
  readonly root: CgroupRoot;
  readonly podSource: PodSource;
  readonly policyFilter: PolicyFilter;
  readonly events: EventContainers;
  readonly enforcement: Pick<Enforcement, "containers">;
  readonly inspect: Inspect | undefined;
  /** Undefined where CRI is not used. */
  readonly cri: CriFollower | undefined;
}

export interface OpenedContainers {
  readonly lifecycle: Lifecycle;
  readonly cgroupResolver: CgroupResolver;
  readonly finder: ContainerFinder;
  /** The cgroup was removed; the container whose root it was has ended. */
  checkCgroup(cgroupId: bigint): void;
}

/** `parts` closes what was opened. */
export function openContainers(
  options: AgentOptions,
  { root, podSource, policyFilter, enforcement, events, inspect, cri }: ContainerParts,
  parts: DisposableStack,
): OpenedContainers {
  const { log, sweepIntervalMs: intervalMs, failureRetentionMs } = options;
  const cgroupRoot = root.path;
  const cgroupResolver = createCgroupResolver(root);
  const reported = reportContainers({
    ...{ events, podSource },
    sink: createContainerPolicies(policyFilter, enforcement.containers),
  });
  parts.defer(reported.close);
  const lifecycle: Lifecycle = createLifecycle({
    ...{ podSource, containerPolicies: reported, cgroupResolver, log, failureRetentionMs, inspect },
    time: systemTime,
  });
  parts.defer(lifecycle.close);
  parts.defer(startSweep(lifecycle, intervalMs));
  const isSeen = (): boolean => cgroupResolver.problem() === "";
  parts.defer(sweepInherited({ filter: policyFilter, cgroupRoot, isSeen, intervalMs }));
  const enforced = { ...enforcement.containers, list: () => [], removeCovered: () => {} };
  parts.defer(sweepInherited({ filter: enforced, cgroupRoot, isSeen, intervalMs }));
  const finder = openContainerFinder({
    ...{ lifecycle, podSource, cgroupRoot, intervalMs, log },
    fetchCgroupsPath: async (containerId) => await cri?.fetchCgroupsPath(containerId),
  });
  parts.defer(finder.close);
  cri?.start(finder);
  return {
    ...{ lifecycle, cgroupResolver, finder },
    checkCgroup(cgroupId) {
      const containerId = reported.findContainerId(cgroupId);
      if (containerId !== undefined) lifecycle.checkCgroup(containerId);
    },
  };
}
