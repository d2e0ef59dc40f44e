// SPDX-License-Identifier: Apache-2.0

import {
  HookState,
  type TracingPolicyActionCounters,
  TracingPolicyMode,
  TracingPolicyState,
  type TracingPolicyStats,
  type TracingPolicyStatus,
} from "@rthooks/proto";
import { type GrpcCode, grpcCode } from "@rthooks/proto/grpc-code";
import { err, ok, type Result } from "@rthooks/result";
import type { WireError } from "../../base/wire/service.ts";
import type { CountedRule } from "../../enforcement/core/enforcement.ts";
import type { PolicyFailure } from "../../policies/core/policy-commands.ts";
import type { PolicyChange, PolicyStatus } from "../../policies/core/policy-store.ts";

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
  unknown: TracingPolicyMode.TP_MODE_UNKNOWN,
} as const; // const: each mode keeps its number

/** `rules`: those of the policy that are in force. */
export const toStatusMessage = (
  status: PolicyStatus,
  rules: readonly CountedRule[],
): TracingPolicyStatus => ({
  id: BigInt(status.id),
  name: status.name,
  namespace: status.namespace,
  // Older clients parse this field; it stays empty.
  info: "",
  sensors: status.heldBy === "" ? [] : [status.heldBy],
  enabled: status.state === "enabled",
  filterId: BigInt(status.filterId),
  error: status.error,
  state: states[status.state],
  // A policy has no maps or programs of its own: what all of them take is in the metrics.
  kernelMemoryBytes: 0n,
  mode: modes[status.mode],
  stats: rules.length === 0 ? undefined : toStatsMessage(rules),
  domain: status.domain,
  hookStatuses: rules.map(({ selector, mechanism, notes, report }) => ({
    section: selector,
    state: HookState.STATUS_LOADED,
    hookDescription: [mechanism, ...notes].join("; "),
    hookIdx: report.hookIndex,
  })),
});

const toStatsMessage = (rules: readonly CountedRule[]): TracingPolicyStats => ({
  actionCounters: rules.map(toCounters).reduce(addCounters),
  selectorActionCounters: rules.map((rule) => {
    const { hook, hookIndex, selectorIndex, selectorLabel } = rule.report;
    return { hook, hookIndex, selectorIndex, selectorLabel, actionCounters: toCounters(rule) };
  }),
});

const toCounters = ({ counts }: CountedRule): TracingPolicyActionCounters => ({ ...noActions, ...counts });

const noActions: TracingPolicyActionCounters = {
  ...{ post: 0n, signal: 0n, monitorSignal: 0n, override: 0n, monitorOverride: 0n, nopost: 0n },
  // Actions that the programs do not have.
  ...{ notifyEnforcer: 0n, monitorNotifyEnforcer: 0n, set: 0n, monitorSet: 0n },
};

const addCounters = (
  one: TracingPolicyActionCounters,
  other: TracingPolicyActionCounters,
): TracingPolicyActionCounters => ({
  ...one,
  post: one.post + other.post,
  signal: one.signal + other.signal,
  monitorSignal: one.monitorSignal + other.monitorSignal,
  override: one.override + other.override,
  monitorOverride: one.monitorOverride + other.monitorOverride,
  nopost: one.nopost + other.nopost,
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
    mode: findName(modes, message.mode) ?? "unknown",
    filterId: Number(message.filterId),
    heldBy: message.sensors.join(", "),
    error: message.error || (state === undefined ? `state ${message.state}` : ""),
  };
}

function findName<T extends string>(numbers: Readonly<Record<T, number>>, wanted: number): T | undefined {
  for (const name in numbers) if (numbers[name] === wanted) return name;
  return undefined;
}

const settableModes: ReadonlyMap<TracingPolicyMode, "enforce" | "monitor"> = new Map([
  [TracingPolicyMode.TP_MODE_ENFORCE, "enforce"],
  [TracingPolicyMode.TP_MODE_MONITOR, "monitor"],
]);

interface ChangeFields {
  readonly enable?: boolean | undefined;
  readonly mode?: TracingPolicyMode | undefined;
}

export function toPolicyChange({ enable, mode }: ChangeFields): Result<PolicyChange, WireError> {
  const wanted = mode === undefined ? undefined : settableModes.get(mode);
  if (mode !== undefined && wanted === undefined)
    return err({ code: grpcCode.invalidArgument, details: "the mode of a policy is enforce or monitor" });
  return ok({
    ...(enable === undefined ? {} : { enable }),
    ...(wanted === undefined ? {} : { mode: wanted }),
  });
}

const codes: Readonly<Record<PolicyFailure["kind"], GrpcCode>> = {
  invalid: grpcCode.invalidArgument,
  "not-found": grpcCode.notFound,
  refused: grpcCode.failedPrecondition,
};

export const toPolicyError = ({ kind, message }: PolicyFailure): WireError => ({
  code: codes[kind],
  details: message,
});
