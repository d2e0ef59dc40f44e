// SPDX-License-Identifier: Apache-2.0

import { TracingPolicyMode, TracingPolicyState, type TracingPolicyStatus } from "@rthooks/proto";
import type { PolicyStatus } from "../../policies/core/policy-store.ts";

const states = {
  enabled: TracingPolicyState.TP_STATE_ENABLED,
  disabled: TracingPolicyState.TP_STATE_DISABLED,
  load_error: TracingPolicyState.TP_STATE_LOAD_ERROR,
  skipped: TracingPolicyState.TP_STATE_SKIPPED,
  loading: TracingPolicyState.TP_STATE_LOADING,
} as const; // const: each state keeps its number

const modes = {
  enforce: TracingPolicyMode.TP_MODE_ENFORCE,
  monitor: TracingPolicyMode.TP_MODE_MONITOR,
  monitor_only: TracingPolicyMode.TP_MODE_MONITOR_ONLY,
} as const; // const: each mode keeps its number

export const toStatusMessage = (status: PolicyStatus): TracingPolicyStatus => ({
  id: BigInt(status.id),
  name: status.name,
  namespace: status.namespace,
  // Older clients parse this field; it stays empty.
  info: "",
  sensors: [],
  enabled: status.state === "enabled",
  filterId: BigInt(status.filterId),
  error: status.error,
  state: states[status.state],
  kernelMemoryBytes: 0n,
  mode: modes[status.mode],
  domain: status.domain,
});

/** The agent may be of another version: an unknown state becomes `load_error`. */
export function toPolicyStatus(message: TracingPolicyStatus): PolicyStatus {
  const state = findName(states, message.state);
  return {
    id: Number(message.id),
    name: message.name,
    namespace: message.namespace,
    domain: message.domain,
    state: state ?? "load_error",
    mode: findName(modes, message.mode) ?? "monitor_only",
    filterId: Number(message.filterId),
    error: message.error || (state === undefined ? `state ${message.state}` : ""),
  };
}

function findName<T extends string>(numbers: Readonly<Record<T, number>>, wanted: number): T | undefined {
  for (const name in numbers) if (numbers[name] === wanted) return name;
  return undefined;
}

/** Undefined for a mode that cannot be set. */
export function toSettableMode(mode: TracingPolicyMode): "enforce" | "monitor" | undefined {
  if (mode === TracingPolicyMode.TP_MODE_ENFORCE) return "enforce";
  return mode === TracingPolicyMode.TP_MODE_MONITOR ? "monitor" : undefined;
}
