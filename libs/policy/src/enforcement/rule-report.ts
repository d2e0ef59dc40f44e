// SPDX-License-Identifier: Apache-2.0

import type { HookPoint } from "./kernel-rule.ts";

/** What an event says of the rule. One JSON-able object, sent to the worker when the rule comes into force. */
export interface RuleReport {
  readonly policyName: string;
  /** Empty for a cluster-wide policy. */
  readonly policyNamespace: string;
  /** Which message: process_kprobe, process_tracepoint, process_lsm. */
  readonly event: "kprobe" | "tracepoint" | "lsm";
  /** function_name of a kprobe or LSM hook ("__x64_sys_mkdir" for `sys_mkdir`), "subsys/event" of a tracepoint. */
  readonly hook: string;
  /** The same of a rule about several hooks, by their keys: "syscalls/sys_enter_mkdir". */
  readonly hooks?: Readonly<Record<string, string>>;
  readonly hookIndex: number;
  readonly selectorIndex: number;
  readonly selectorLabel: string;
  readonly message: string;
  readonly tags: readonly string[];
  /** The arguments that are read, in the order of the policy: which facet has the value, and the KprobeArgument field for its type. */
  readonly args: readonly ReportedArgument[];
}

export interface ReportedArgument {
  readonly facet: `arg${0 | 1 | 2 | 3 | 4}` | "socket";
  /** Of the CRD. */
  readonly type: string;
  readonly label: string;
}

/** What an event of this hook says as `hook`. */
export const reportedHook = ({ hook, hooks }: RuleReport, at: HookPoint): string =>
  hooks?.[toHookKey(at)] ?? hook;

export function toHookKey(hook: HookPoint): string {
  switch (hook.kind) {
    case "lsm":
      return hook.hook;
    case "function":
      return hook.name;
    case "tracepoint":
      return `${hook.subsystem}/${hook.event}`;
    default:
      return hook.kind;
  }
}
