// SPDX-License-Identifier: Apache-2.0
// System calls as a policy names them: "sys_mkdir", "__x64_sys_mkdir", and in a list "x64/sys_mkdir".

import { err, ok, type Result } from "@rthooks/result";
import { describeValue } from "../schema/describe-value.ts";
import type { HookArgument, HookPoint } from "./kernel-rule.ts";
import { type Architecture, syscallNumbers } from "./syscall-numbers.ts";

/** The name after "sys_": "mkdir". The error says what a hook on it needs. */
export function parseSyscall(call: string, architecture: Architecture): Result<string, string> {
  const [, abi, prefix, name] = /^(?:(\w+)\/)?(?:__(\w+?)_)?sys_(\w+)$/.exec(call) ?? [];
  if (name === undefined)
    return err(`the name of a system call like "sys_mkdir", not ${describeValue(call)}`);
  const named = [abi, prefix].find((one) => one !== undefined && one !== architecture);
  if (named === undefined) return ok(name);
  if (abi32.has(named)) return err(`programs on system calls of 32-bit programs, for ${describeValue(call)}`);
  return err(`a node with ${named} processors, for ${describeValue(call)}`);
}

const abi32: ReadonlySet<string> = new Set(["ia32", "i386", "arm32"]);

/** As the kernel names the function: "__x64_sys_mkdir". */
export const toSyscallSymbol = (name: string, architecture: Architecture): string =>
  `__${architecture}_sys_${name}`;

/** `args`: of the tracepoint. */
export const toSyscallHook = (name: string, args: readonly HookArgument[]): HookPoint => ({
  kind: "tracepoint",
  subsystem: "syscalls",
  event: `sys_enter_${name}`,
  args,
});

/** Names of the kernel's functions that are not those of the call. */
const calls: ReadonlyMap<string, string> = new Map([
  ["newuname", "uname"],
  ["newstat", "stat"],
  ["newlstat", "lstat"],
  ["newfstat", "fstat"],
  ["umount", "umount2"],
  ["sendfile64", "sendfile"],
  ["fadvise64_64", "fadvise64"],
]);

export const toSyscallNumber = (name: string, architecture: Architecture): number | undefined =>
  syscallNumbers[architecture].get(calls.get(name) ?? name);

/** Of a call as its tracepoint sys_enter_NAME names it: "newuname" is uname. Undefined for one that is not known here. */
export function findCallNumber(
  name: string,
  architecture: Architecture,
): { readonly name: string; readonly number: number } | undefined {
  const call = calls.get(name) ?? name;
  const number = syscallNumbers[architecture].get(call);
  return number === undefined ? undefined : { name: call, number };
}
