// SPDX-License-Identifier: Apache-2.0
// The effective mode on the connected runtime, the events that this mode subscribes to, and the time limits of a decision.

import { type NriCall, type NriEventName, toEventMask } from "@rthooks/nri";
import type { PluginMode } from "./plugin-flags.ts";

export type EffectiveMode = "inject" | "direct";

/**
 * Whether an error at StartContainer denies the container. containerd fails the start (internal/cri/server/
 * container_start.go); CRI-O logs the error and starts the container (server/container_start.go).
 */
export const holdsAtStart = (runtimeName: string): boolean => runtimeName === "containerd";

export interface ModeDecision {
  readonly mode: EffectiveMode;
  readonly warning: string | undefined;
}

/** `rejectedIn`: the files of the runtime's configuration that make its default validator reject hooks. */
export function decideMode(
  wanted: PluginMode,
  runtimeName: string,
  rejectedIn: readonly string[],
): ModeDecision {
  const canHold = holdsAtStart(runtimeName);
  if (wanted === "inject" && canHold && rejectedIn.length > 0) {
    const warning =
      `${runtimeName}'s default validator rejects every container to which a plugin adds a hook ` +
      `(reject_oci_hook_adjustment, ${rejectedIn.join(", ")}): using direct mode`;
    return { mode: "direct", warning };
  }
  if (wanted === "auto") return { mode: canHold ? "direct" : "inject", warning: undefined };
  const warning =
    wanted === "direct" && !canHold
      ? `${runtimeName || "this runtime"} ignores errors at StartContainer: direct mode cannot deny containers here; ` +
        "use --mode inject or auto"
      : undefined;
  return { mode: wanted, warning };
}

/** RunPodSandbox for the sandbox's size: see synchronization-size.ts. */
const always: readonly NriEventName[] = [
  "RunPodSandbox",
  "StopContainer",
  "RemoveContainer",
  "RemovePodSandbox",
];

/**
 * StartContainer in both modes: a container that was created before the plugin connected has no hook, and some runtime
 * handlers run no hooks. PostCreateContainer shows that the runtime accepted the hook (hook-acceptance.ts).
 */
export const toMask = (mode: EffectiveMode): number =>
  toEventMask(
    mode === "inject"
      ? ["CreateContainer", "PostCreateContainer", "StartContainer", ...always]
      : ["StartContainer", ...always],
  );

/**
 * Time to send the answer, also on a node with busy processors: a pod's author can cause that, and the runtime starts the
 * container when an answer is late. On a test machine with a load of four per processor, 100 ms were not enough.
 */
const MARGIN_MS = 250;
const MARGIN_SHARE = 0.15;

const toMarginMs = (leftMs: number): number => Math.max(MARGIN_MS, leftMs * MARGIN_SHARE);

/** Milliseconds from `nowMs` that a decision may take. */
export function toDecisionMs(call: NriCall, nowMs: number, grpcTimeoutMs: number): number {
  const leftMs = call.deadlineAtMs - nowMs;
  return Math.max(1, Math.min(grpcTimeoutMs, leftMs - toMarginMs(leftMs)));
}

const MIN_CUTOFF_MS = 10;

/** Milliseconds from `nowMs` after which the fail check replaces a decision that exceeded its own limit. */
export function toCutoffMs(call: NriCall, nowMs: number): number {
  const leftMs = call.deadlineAtMs - nowMs;
  return Math.max(MIN_CUTOFF_MS, leftMs - toMarginMs(leftMs) / 2);
}
