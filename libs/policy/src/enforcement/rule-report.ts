// SPDX-License-Identifier: Apache-2.0

/** What an event says of the rule. One JSON-able object, sent to the worker when the rule comes into force. */
export interface RuleReport {
  readonly policyName: string;
  /** Empty for a cluster-wide policy. */
  readonly policyNamespace: string;
  /** Which message: process_kprobe, process_tracepoint, process_lsm. */
  readonly event: "kprobe" | "tracepoint" | "lsm";
  /** function_name of a kprobe or LSM hook ("__x64_sys_mkdir" for `sys_mkdir`), "subsys/event" of a tracepoint. */
  readonly hook: string;
  readonly hookIndex: number;
  readonly selectorIndex: number;
  readonly selectorLabel: string;
  readonly message: string;
  readonly tags: readonly string[];
  /** The arguments as the policy declares them, in order: which facet has the value, and the KprobeArgument field for its type. */
  readonly args: readonly ReportedArgument[];
}

export interface ReportedArgument {
  readonly facet: `arg${0 | 1 | 2 | 3 | 4}` | "socket";
  /** Of the CRD. */
  readonly type: string;
  readonly label: string;
}
