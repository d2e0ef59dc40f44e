// SPDX-License-Identifier: Apache-2.0
// The node at a glance. Times are Unix time in milliseconds; lists are bounded, counts are not. All of it is plain JSON.

import type { FailureAdvice } from "./explanation.ts";
import type { EnforcedPolicy } from "./policy-enforcement.ts";

export interface NodeOverview {
  readonly atMs: number;
  /** Empty where it is not known. */
  readonly node: string;
  readonly version: string;
  /** Containers whose start waits now, the longest wait first. */
  readonly held: readonly WaitingStart[];
  readonly heldCount: number;
  /** Starts that were denied in the last hour, the newest first. */
  readonly denied: readonly DeniedStart[];
  readonly deniedCount: number;
  readonly sources: readonly SourceState[];
  /** Policies by state. */
  readonly policies: readonly StateCount[];
  /** Policies with rules in the kernel, those that matched most first. */
  readonly enforced: readonly EnforcedPolicy[];
  readonly enforcedCount: number;
  /** Containers on record by state and source; the counts of one state add up to all of its containers. */
  readonly containers: readonly ContainerCount[];
  readonly interfaces: readonly RuntimeInterface[];
  /** The problems of GetHealth, one sentence each. */
  readonly problems: readonly string[];
}

export interface StateCount {
  readonly state: string;
  readonly count: number;
}

export interface ContainerCount extends StateCount {
  /** Who reported these containers first: "hook", "nri", "synchronize", "cri", "scan". */
  readonly source: string;
}

/** A way by which the agent learns of the containers of a runtime. */
export interface RuntimeInterface {
  /** "OCI hook", "NRI plugin", "CRI". */
  readonly name: string;
  /** "containerd 2.1.9", or the runtime's socket; empty where it is not known. */
  readonly runtime: string;
  /** Containers on record that it reported first. */
  readonly containers: number;
  /** When the newest of them was reported; undefined without one. */
  readonly lastReportMs: number | undefined;
}

/** Names are empty where they are not known. */
export interface WaitingStart {
  readonly containerId: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly sinceMs: number;
  /** State of the container's machine. */
  readonly state: string;
}

/** Names are empty where they are not known. */
export interface DeniedStart {
  readonly containerId: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly atMs: number;
  /** Who denied it, or refused it with the effect that the caller denied it. */
  readonly by: "hook" | "nri" | "agent";
  readonly failure: FailureAdvice;
}

/** A source of pods, containers, or policies, or an interface to a runtime. */
export interface SourceState {
  /** "API server", "pods file", "CRI", "NRI plugin", "hook log", "policy files". */
  readonly name: string;
  /** `stale`: what was read earlier still counts, and newer changes are not known. */
  readonly state: "current" | "stale" | "off";
  /** One sentence; empty where all is well. */
  readonly problem: string;
  /** Of a stale source: since when. */
  readonly sinceMs: number | undefined;
}
