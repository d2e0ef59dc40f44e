// SPDX-License-Identifier: Apache-2.0
// The node at a glance. Times are Unix time in milliseconds; lists are bounded, counts are not. All of it is plain JSON.

import type { FailureAdvice } from "./explanation.ts";

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
  /** Containers by state. */
  readonly containers: readonly StateCount[];
  /** The problems of GetHealth, one sentence each. */
  readonly problems: readonly string[];
}

export interface StateCount {
  readonly state: string;
  readonly count: number;
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
