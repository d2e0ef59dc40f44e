// SPDX-License-Identifier: Apache-2.0

import { TracingPolicyMode, TracingPolicyState, type TracingPolicyStatus } from "@rthooks/proto";
import { type GrpcCode, grpcCode } from "@rthooks/proto/grpc-code";
import { err, ok, type Result } from "@rthooks/result";
import type { WireError } from "../../base/wire/service.ts";
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
