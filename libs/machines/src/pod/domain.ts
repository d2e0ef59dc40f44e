// SPDX-License-Identifier: Apache-2.0
// Types that the container machine and the pod machine share.

import type { Labels, ReportSource } from "@rthooks/oci";

/** What the agent knows of a pod. Unknown texts are empty. */
export interface PodIdentity {
  /** Undefined for a container that belongs to no pod. */
  readonly uid: string | undefined;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  /**
   * The source of namespace, name and labels. "hook": a hook request, which has no labels. "nri": the labels at the
   * creation of the pod's sandbox. "pod-source": the current object of the pod.
   */
  readonly identitySource: "hook" | "nri" | "pod-source";
  /** Of the values that container reports gave; those of the pod source have none. */
  readonly origins: PodOrigins;
}

/** Who reported a value, and when: nanoseconds of Unix time. */
export interface Origin {
  readonly source: ReportSource;
  readonly atNanos: bigint;
}

/** By the part of the identity; undefined where no container report gave it. */
type PodOrigins = Readonly<Partial<Record<"uid" | "namespace" | "name" | "labels", Origin | undefined>>>;

/** What one source says about one container; a hook call is one. */
export interface ContainerReport {
  readonly containerId: string;
  readonly containerName: string;
  readonly image: string;
  /** Undefined where the source does not know it, as for a container of no pod. */
  readonly podUid: string | undefined;
  /** Empty where the source does not know it. */
  readonly podNamespace: string;
  readonly podName: string;
  /** Undefined where the source does not know them. */
  readonly podLabels: Labels | undefined;
  readonly source: ReportSource;
  /** Below the root of the cgroup hierarchy; the result of `expandCgroupsPath`. */
  readonly cgroupsPath: string;
  /** The cgroup at that path, if it is known before `findCgroup`. */
  readonly cgroup: Cgroup | undefined;
  /** When the caller stops waiting for the answer: Unix time in milliseconds; Infinity if it never does. */
  readonly answerByMs: number;
  /** When the call arrived: nanoseconds of Unix time. */
  readonly seenAtNanos: bigint;
  /** The same on the monotonic clock, in milliseconds; undefined where nothing is held. */
  readonly arrivedMs: number | undefined;
  /** While the call waited for its pod, on the monotonic clock; undefined if it did not. */
  readonly podWait?: { readonly startedMs: number; readonly endedMs: number };
}

export interface Cgroup {
  /** Below the root of the hierarchy. */
  readonly path: string;
  readonly id: bigint;
}

/** Why a container is refused. The machines pass it on and do not read it. */
export interface Failure {
  readonly kind: string;
  readonly message: string;
}
