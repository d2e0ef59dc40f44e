// SPDX-License-Identifier: Apache-2.0
// Which event a hook is about, and in which of its arguments the path or the address is.

import { err, ok, type Result } from "@rthooks/result";
import type { Argument } from "../schema/argument.ts";
import { describeValue } from "../schema/describe-value.ts";
import type { TracingPolicySpec } from "../schema/policy-spec.ts";
import type { hookKinds } from "../schema/references.ts";
import type { MissingCapability } from "./policy-rule.ts";
import type { RuleSockets } from "./subject-rule.ts";

export type HookKind = (typeof hookKinds)[number];
export type PolicyHook = TracingPolicySpec[HookKind][number];

export type HookTarget =
  | { readonly kind: "exec"; readonly path: PathArgument; readonly notes: readonly string[] }
  | {
      readonly kind: "connect";
      readonly sockets: RuleSockets;
      /** Index of the socket; it has the destination where no argument is a sockaddr. */
      readonly socket: number;
      readonly sockaddr: number | undefined;
      readonly notes: readonly string[];
    };

interface PathArgument {
  readonly index: number;
  readonly types: readonly Argument["type"][];
}

export function findHookTarget(kind: HookKind, hook: PolicyHook): Result<HookTarget, MissingCapability> {
  if ("event" in hook) return findTracepointTarget(hook);
  if ("hook" in hook) {
    const target = lsmTargets.get(hook.hook);
    return toResult(target, "hook", `a program on the LSM hook ${describeValue(hook.hook)}`);
  }
  if (!("call" in hook)) return err({ field: "path", needs: `programs for ${kind}` });
  const { call, syscall } = hook;
  if (call.startsWith("list:")) return err({ field: "call", needs: "a hook on each call of a list" });
  if (!syscall) {
    const what = kind === "fentries" ? "fentry" : "kprobe";
    const lsm = call.startsWith("security_") ? ", or one on its LSM hook" : "";
    const needs = `a ${what} program on the kernel function ${describeValue(call)}${lsm}`;
    return toResult(functionTargets.get(call), "call", needs);
  }
  const name = call.replace(/^__(x64|arm64)_/, "");
  return toResult(syscallTargets.get(name), "call", `a program on the system call ${describeValue(call)}`);
}

function findTracepointTarget(hook: Extract<PolicyHook, { event: string }>) {
  const { subsystem, event, raw } = hook;
  const target = tracepointTargets.get(`${raw ? "raw " : ""}${subsystem}/${event}`);
  const isSyscall = subsystem === "syscalls" || subsystem === "raw_syscalls";
  const what = isSyscall ? "a program on the system call's tracepoint" : "a program on the tracepoint";
  return toResult(target, "event", `${what} ${describeValue(`${subsystem}/${event}`)}`);
}

const toResult = (
  target: HookTarget | undefined,
  field: string,
  needs: string,
): Result<HookTarget, MissingCapability> => (target === undefined ? err({ field, needs }) : ok(target));

const binprm = (index: number): HookTarget => ({
  kind: "exec",
  path: { index, types: ["linux_binprm", "auto"] },
  notes: [],
});

/** The reference compares the name that the caller wrote. */
const openedFile =
  "the path is that of the file that the call opens: links and relative names are resolved, and every call that executes is covered";
const name = (index: number, ...types: readonly Argument["type"][]): HookTarget => ({
  kind: "exec",
  path: { index, types: [...types, "auto"] },
  notes: [openedFile],
});

const connect = (
  sockets: RuleSockets,
  sockaddr: number | undefined,
  ...notes: readonly string[]
): HookTarget => ({
  ...{ kind: "connect", sockets, socket: 0, sockaddr, notes },
});

const internetOnly = "only connections to IPv4 and IPv6 addresses are covered";
const allDatagrams = "IPv4 and IPv6 are covered, and all sockets that are not stream sockets";

const functionTargets: ReadonlyMap<string, HookTarget> = new Map([
  ["security_bprm_check", binprm(0)],
  ["tcp_connect", connect("stream", undefined)],
  ["security_socket_connect", connect("all", 1, internetOnly)],
  ["udp_sendmsg", connect("datagram", undefined, allDatagrams)],
  ["udpv6_sendmsg", connect("datagram", undefined, allDatagrams)],
]);

const lsmTargets: ReadonlyMap<string, HookTarget> = new Map([
  ["bprm_check_security", binprm(0)],
  ["socket_connect", connect("all", 1, internetOnly)],
]);

const syscallTargets: ReadonlyMap<string, HookTarget> = new Map([
  ["sys_execve", name(0, "string", "filename")],
  ["sys_execveat", name(1, "string", "filename")],
]);

/** The index counts the four fields that all tracepoints have; for a raw one it counts the arguments. */
const tracepointTargets: ReadonlyMap<string, HookTarget> = new Map([
  ["sched/sched_process_exec", name(4, "data_loc", "string")],
  ["raw sched/sched_process_exec", binprm(2)],
  ["syscalls/sys_enter_execve", name(5, "string", "filename")],
  ["syscalls/sys_enter_execveat", name(6, "string", "filename")],
]);
