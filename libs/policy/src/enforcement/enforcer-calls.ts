// SPDX-License-Identifier: Apache-2.0
// NotifyEnforcer acts on the calls of spec.enforcers only.

import { err, ok, type Result } from "@rthooks/result";
import type { TracingPolicySpec } from "../schema/policy-spec.ts";
import type { HookTarget, TargetContext } from "./hook-target.ts";
import type { NumberFilter } from "./kernel-rule.ts";
import { toHookKey } from "./rule-report.ts";
import { parseSyscall, toSyscallNumber } from "./syscall-name.ts";

/** Filters that leave the calls of the enforcers. The error says what NotifyEnforcer needs. */
export function toEnforcerFilters(
  enforcers: TracingPolicySpec["enforcers"],
  target: HookTarget,
  { architecture, lists }: TargetContext,
): Result<readonly NumberFilter[], string> {
  const names = new Set<string>();
  for (const call of enforcers.flatMap(({ calls }) => calls)) {
    const members = lists.members(call);
    if (!members.ok) return members;
    if (members.value === "all") return ok([]);
    for (const member of members.value.calls) {
      // 32-bit calls are not covered by the hook either.
      const name = parseSyscall(member, architecture);
      if (name.ok) names.add(name.value);
    }
  }
  const isOfEnforcer = (key: string): boolean => names.has(key.replace("syscalls/sys_enter_", ""));
  const keys = target.hooks.map(toHookKey);
  if (keys.every(isOfEnforcer)) return ok([]);
  if (keys.some((key) => key !== "raw_syscalls/sys_enter"))
    return err("a hook on system calls that spec.enforcers has");
  const number = target.places.find(({ argument, kind }) => kind === "number" && argument.index === 4);
  if (number?.kind !== "number") return err("an argument with the number of the system call, index 4");
  const numbers = [...names].map((name) => toSyscallNumber(name, architecture));
  if (numbers.includes(undefined)) return err("the numbers of the system calls of spec.enforcers");
  const values = numbers.flatMap((one) => (one === undefined ? [] : [BigInt(one)]));
  return ok([{ facet: number.facet, values, isNegated: false }]);
}
