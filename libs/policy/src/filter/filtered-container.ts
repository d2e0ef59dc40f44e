// SPDX-License-Identifier: Apache-2.0

import type { Labels } from "@rthooks/oci";

/** A container with everything that filters match on, and its root cgroup. */
export interface FilteredContainer {
  readonly containerId: string;
  /** `containerSelector` sees it as the label `name`. */
  readonly containerName: string;
  /** As the runtime reports it; `containerSelector` sees its repository as the label `repo`. */
  readonly image: string;
  /** Of the container's root cgroup: it stands for the cgroups below, too. */
  readonly cgroupId: bigint;
  /** A container without pod UID and pod name belongs to no pod, and to no filter. */
  readonly podUid: string | undefined;
  readonly podName: string;
  readonly namespace: string;
  /** The pod's labels. */
  readonly labels: Labels;
  /** False: the pod may have more labels, so a selector that does not match now may still match later. */
  readonly hasAllLabels: boolean;
  /** True: the container runs already and cannot be refused; entries that do not fit into the maps are retried. */
  readonly runsAlready?: boolean;
}

export const hasPod = ({ podUid, podName }: FilteredContainer): boolean =>
  podUid !== undefined || podName !== "";
