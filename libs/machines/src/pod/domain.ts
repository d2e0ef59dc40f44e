// SPDX-License-Identifier: Apache-2.0
// The words the two machines of the pod lifecycle share.

import type { Labels, ReportSource } from "@rthooks/oci";

/** What is known of the pod; empty texts where nobody has said it. */
export interface PodIdentity {
  /** Undefined for a container that belongs to no pod. */
  readonly uid: string | undefined;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  /**
   * Who vouches for it: only the hook's request; NRI, which gave the labels as they were when the pod's sandbox was
   * made; or the pod source, which hears of every change.
   */
  readonly identitySource: "hook" | "nri" | "pod-source";
}

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
  /** As `expandCgroupsPath` gives it. */
  readonly cgroupsPath: string;
  /** The container's cgroup by that path, where the caller has looked it up already. */
  readonly cgroup: Cgroup | undefined;
  /** When the caller stops waiting for the answer: Unix time in milliseconds; Infinity if it never does. */
  readonly answerByMs: number;
  /** When the call arrived: nanoseconds of Unix time. */
  readonly seenAtNanos: bigint;
}

export interface Cgroup {
  /** Below the root of the hierarchy. */
  readonly path: string;
  readonly id: bigint;
}

/** Why a container is not let go. The machines hand it on and never look into it. */
export interface Failure {
  readonly kind: string;
  readonly message: string;
}

/** The default of every effect: an app that forgets to supply one learns it at the first use. */
export function notProvided(name: string): () => never {
  return () => {
    throw new Error(`the effect ${name} is not provided`);
  };
}
