// SPDX-License-Identifier: Apache-2.0
// What the agent shows of a container: in `tetragon status` and over gRPC.

import type { ContainerSnapshot } from "@rthooks/machines/pod";
import type { Labels } from "@rthooks/oci";

export interface ContainerRecord {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly podUid: string;
  readonly podName: string;
  readonly podNamespace: string;
  readonly podLabels: Labels;
  readonly cgroupPath: string;
  /** 0 while unknown. */
  readonly cgroupId: bigint;
  readonly state: string;
  /** Who reported it first: a ReportSource. */
  readonly source: string;
  readonly reportedAtNanos: bigint;
  /** Why it failed; empty otherwise. */
  readonly error: string;
  /** One word for it, as `describeFailure` takes it; empty without an error. */
  readonly errorKind: string;
}

export function toContainerRecord(snapshot: ContainerSnapshot): ContainerRecord {
  const { report, pod, cgroup, failure, source, reportedAtNanos } = snapshot.context;
  return {
    id: report.containerId,
    name: report.containerName,
    image: report.image,
    podUid: pod?.uid ?? "",
    podName: pod?.name ?? report.podName,
    podNamespace: pod?.namespace ?? report.podNamespace,
    podLabels: pod?.labels ?? new Map<string, string>(),
    cgroupPath: cgroup?.path ?? report.cgroupsPath,
    cgroupId: cgroup?.id ?? 0n,
    state: snapshot.value,
    source,
    reportedAtNanos,
    error: failure?.message ?? "",
    errorKind: failure?.kind ?? "",
  };
}
