// SPDX-License-Identifier: Apache-2.0
// Which cgroup belongs to which pod, as policies need it. The seam for the BPF maps: an implementation that
// can run full answers with the reason, and the container is then not let go.

import type { Labels } from "@rthooks/machines/pod";
import type { Result } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";

export interface FilteredContainer {
  readonly containerId: string;
  readonly containerName: string;
  readonly image: string;
  readonly cgroupId: bigint;
  /** Ids of the cgroups below its own. */
  readonly nestedIds: readonly bigint[];
  /** Undefined for a container of no pod. */
  readonly podUid: string | undefined;
  readonly podName: string;
  readonly namespace: string;
  readonly labels: Labels;
  /** Whoever told of the pod knows all of its labels: what they do not match, it is not in. */
  readonly hasAllLabels: boolean;
  /** It cannot be refused: what does not fit into the maps now is tried again. */
  readonly runsAlready?: boolean;
}

interface PodUpdate {
  readonly podUid: string | undefined;
  readonly podName: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly hasAllLabels: boolean;
  readonly containerIds: Iterable<string>;
}

export interface PolicyFilter {
  /** In place of what was known under the same container id. An error only for one that does not run yet; it is in no map. */
  add(container: FilteredContainer): Result<void, Refusal>;
  remove(containerId: string): void;
  /** The cgroups below the container's are these now. Those that do not fit are tried again until they do. */
  setNested(containerId: string, nestedIds: readonly bigint[]): void;
  updatePod(update: PodUpdate): void;
  list(): Iterable<FilteredContainer>;
}
