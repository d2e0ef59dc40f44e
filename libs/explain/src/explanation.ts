// SPDX-License-Identifier: Apache-2.0
// The explanation of one container: who it is, how long the runtime was held, and which policies select it.
//
// Times are Unix time in milliseconds, with fractions; durations are milliseconds. All of it is plain JSON.

import type { PolicyEnforcement } from "./policy-enforcement.ts";

/**
 * `held`: the runtime waits. `running`: it was started, held or not. `denied`: the start was denied. `failed`: the agent
 * refused its report, or could not put it into its filters. `ended`: its cgroup is gone.
 */
export type ContainerOutcome = "held" | "running" | "denied" | "failed" | "ended";

export interface Explanation {
  readonly containerId: string;
  /** State of the container's machine; empty for a container of which only the hook's log tells. */
  readonly state: string;
  readonly outcome: ContainerOutcome;
  /** When the agent had the first report of it, or the hook began. */
  readonly firstReportMs: number;
  /** When its cgroup was gone or its start was denied, or about then; undefined for a container that is held or runs. */
  readonly endedMs: number | undefined;
  /** In the order in which a reader wants them: namespace, pod, UID, labels, container, image, cgroup. */
  readonly identity: readonly IdentityPart[];
  /** Undefined where no hook and no plugin held it, or the agent started later. */
  readonly hold: RuntimeHold | undefined;
  readonly policies: readonly PolicyMatch[];
  /** Undefined without a failure. */
  readonly failure: FailureAdvice | undefined;
}

export interface IdentityPart {
  /** "namespace", "pod", "pod UID", "labels", "container", "image", "cgroup", "cgroup id". */
  readonly part: string;
  /** Empty where it is not known. */
  readonly value: string;
  /** Who reported the value that counts: "hook", "nri", "synchronize", "cri", "scan", "pod-source", "kernel". */
  readonly source: string;
  /** When that was reported; undefined where it is not known. */
  readonly reportedMs: number | undefined;
}

/** The time for which the runtime was held, as the program that held it measured it, or else as the agent saw it. */
export interface RuntimeHold {
  /** "hook": the OCI hook; "nri": the NRI plugin in direct mode. */
  readonly by: "hook" | "nri";
  readonly startedMs: number;
  readonly durationMs: number;
  /** In the order of their start; they may overlap, since hook and agent measure both. */
  readonly phases: readonly HoldPhase[];
}

/** "OCI hook", "NRI plugin" */
export const nameHolder = (by: RuntimeHold["by"]): string => (by === "nri" ? "NRI plugin" : "OCI hook");

export interface HoldPhase {
  /** Who spent the time. */
  readonly where: "hook" | "plugin" | "agent" | "pod source" | "kernel map";
  /** "read the spec", "connect to the agent", "wait for the pod", "find the cgroup", "write the filter maps". */
  readonly what: string;
  readonly startedMs: number;
  readonly durationMs: number;
}

export interface PolicyMatch {
  readonly name: string;
  /** Empty for a cluster-wide policy. */
  readonly namespace: string;
  readonly domain: string;
  /** State of the policy: "enabled", "disabled", "load_error", "skipped", "loading". */
  readonly state: string;
  readonly mode: string;
  readonly selects: boolean;
  /** The first term of its selectors that this container does not meet; undefined if the policy selects it. */
  readonly failing: FailingTerm | undefined;
  /** Its selectors that have `matchWorkloads`, in the order of the document. */
  readonly selectors: readonly SelectorMatch[];
  /** Undefined for a policy without rules in the kernel: it has no hooks, or is not in force. */
  readonly enforcement: PolicyEnforcement | undefined;
}

export interface SelectorMatch {
  /** "kprobes[0].selectors[1]" */
  readonly selector: string;
  /** The first term of it that this container does not meet; undefined if the selector matches. */
  readonly failing: FailingTerm | undefined;
}

export interface FailingTerm {
  /** "pod label app in (db, web)", "namespace is production". */
  readonly term: string;
  /** "app=cache", "the pod has no label app". */
  readonly found: string;
}

/** A failure in plain words. */
export interface FailureAdvice {
  /** One word of a fixed set, those of `describeFailure`. */
  readonly kind: string;
  /** One sentence: what failed. */
  readonly what: string;
  /** One sentence: what the operator can do. */
  readonly next: string;
  /** As the program reported it; it may contain any text. */
  readonly message: string;
}
