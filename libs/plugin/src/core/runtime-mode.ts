// SPDX-License-Identifier: Apache-2.0
// What a mode comes to on the runtime that the plugin has met, which events it needs for that, and how long it may take.

import { type NriCall, type NriEventName, toEventMask } from "@rthooks/nri";
import type { PluginMode } from "./plugin-flags.ts";

export type EffectiveMode = "inject" | "direct";

/**
 * containerd fails a container whose StartContainer event a plugin refuses (internal/cri/server/container_start.go);
 * CRI-O logs the refusal and starts it (server/container_start.go).
 */
export const holdsAtStart = (runtimeName: string): boolean => runtimeName === "containerd";

export interface ModeDecision {
  readonly mode: EffectiveMode;
  readonly warning: string | undefined;
}

/** `rejectedIn` are the files of the runtime's configuration that have it make no container with an added hook. */
export function decideMode(
  wanted: PluginMode,
  runtimeName: string,
  rejectedIn: readonly string[],
): ModeDecision {
  const canHold = holdsAtStart(runtimeName);
  if (wanted === "inject" && canHold && rejectedIn.length > 0) {
    const warning =
      `${runtimeName}'s default validator refuses every container to which a plugin adds a hook ` +
      `(reject_oci_hook_adjustment, ${rejectedIn.join(", ")}): no hook is added, and containers are held at ` +
      "StartContainer, as with --mode direct";
    return { mode: "direct", warning };
  }
  if (wanted === "auto") return { mode: canHold ? "direct" : "inject", warning: undefined };
  const warning =
    wanted === "direct" && !canHold
      ? `${runtimeName || "this runtime"} starts a container although a plugin refuses it: in direct mode no container ` +
        "is kept from starting here; use --mode inject or auto"
      : undefined;
  return { mode: wanted, warning };
}

/** RunPodSandbox for its size: see synchronization-room.ts. */
const always: readonly NriEventName[] = [
  "RunPodSandbox",
  "StopContainer",
  "RemoveContainer",
  "RemovePodSandbox",
];

/**
 * StartContainer in both modes: a container that was created before the plugin came has no hook, and a runtime handler may
 * run none. PostCreateContainer tells that the runtime has made a container with its hook.
 */
export const toMask = (mode: EffectiveMode): number =>
  toEventMask(
    mode === "inject"
      ? ["CreateContainer", "PostCreateContainer", "StartContainer", ...always]
      : ["StartContainer", ...always],
  );

/**
 * For the answer's way back, and for a node whose processors are busy, which the authors of pods can bring about: a late
 * answer counts as consent. On a test machine with a load of four per processor, 100 ms were not enough.
 */
const MARGIN_MS = 250;
const MARGIN_SHARE = 0.15;

const toMarginMs = (leftMs: number): number => Math.max(MARGIN_MS, leftMs * MARGIN_SHARE);

/** How long a decision may take from `nowMs` on. */
export function toDecisionMs(call: NriCall, nowMs: number, grpcTimeoutMs: number): number {
  const leftMs = call.deadlineAtMs - nowMs;
  return Math.max(1, Math.min(grpcTimeoutMs, leftMs - toMarginMs(leftMs)));
}

/** Least time for a decision that has itself no time left to come first. */
const LAST_MOMENT_MS = 10;

/** How long to wait for a decision that should have been there by now, until the fail check has to do without. */
export function toLastMomentMs(call: NriCall, nowMs: number): number {
  const leftMs = call.deadlineAtMs - nowMs;
  return Math.max(LAST_MOMENT_MS, leftMs - toMarginMs(leftMs) / 2);
}
