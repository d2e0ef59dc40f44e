// SPDX-License-Identifier: Apache-2.0
// The lists of a policy: calls to hook, and numbers of system calls to compare with.

import { err, ok, type Result } from "@rthooks/result";
import { describeValue } from "../schema/describe-value.ts";
import type { TracingPolicySpec } from "../schema/policy-spec.ts";
import type { MissingCapability } from "./policy-rule.ts";
import { parseSyscall, toSyscallNumber } from "./syscall-name.ts";
import { type Architecture, syscallNumbers } from "./syscall-numbers.ts";

type List = TracingPolicySpec["lists"][number];

/** Each member has its own hook in the kernel. */
const maxMembers = 128;
const listPrefix = "list:";

export interface CallLists {
  /** The calls that a hook names; "all": every system call. `isList`: the hook names a list. */
  members(call: string): Result<ListedCalls | "all", string>;
  /** Values, with the numbers of their system calls for lists. */
  expand(values: readonly string[]): Result<readonly string[], MissingCapability>;
}

interface ListedCalls {
  readonly calls: readonly string[];
  /** They are system calls, whatever the hook says. */
  readonly areSyscalls: boolean;
}

export function createCallLists(lists: readonly List[], architecture: Architecture): CallLists {
  const find = (value: string): List | undefined =>
    lists.find(({ name }) => value === `${listPrefix}${name}`);
  return {
    members(call) {
      const list = find(call);
      if (list === undefined) return ok({ calls: [call], areSyscalls: false });
      if (list.type === "generated_syscalls") return ok("all");
      if (list.type === "generated_ftrace") return err("the kernel functions whose names match a pattern");
      const calls = [...new Set(list.values)];
      if (calls.length === 0) return err("a list with members");
      if (calls.length > maxMembers) return err(`a list of at most ${maxMembers} members`);
      return ok({ calls, areSyscalls: list.type === "syscalls" });
    },
    expand(values) {
      const expanded: string[] = [];
      for (const [at, value] of values.entries()) {
        const list = find(value);
        if (list === undefined) {
          expanded.push(value);
          continue;
        }
        const numbers = toNumbers(list, architecture);
        if (!numbers.ok) return err({ field: `values[${at}]`, needs: numbers.error });
        expanded.push(...numbers.value.map(String));
      }
      return ok(expanded);
    },
  };
}

function toNumbers(list: List, architecture: Architecture): Result<readonly number[], string> {
  if (list.type === "generated_syscalls") return ok([...syscallNumbers[architecture].values()]);
  if (list.type !== "syscalls") return err("a list of the type syscalls");
  const numbers: number[] = [];
  for (const value of list.values) {
    const name = parseSyscall(/sys_/.test(value) ? value : `sys_${value}`, architecture);
    if (!name.ok) return name;
    const number = toSyscallNumber(name.value, architecture);
    if (number === undefined) return err(`the number of the system call ${describeValue(value)}`);
    numbers.push(number);
  }
  return ok(numbers);
}
