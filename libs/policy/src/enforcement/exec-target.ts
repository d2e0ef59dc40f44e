// SPDX-License-Identifier: Apache-2.0
// Hooks about executions.

import type { Argument } from "../schema/argument.ts";
import type { ArgumentPlace } from "./argument-place.ts";
import { type HookTarget, plainTarget } from "./hook-target.ts";
import type { TextFacet } from "./kernel-rule.ts";

interface ExecHook {
  /** Index of the path. */
  readonly index: number;
  readonly types: ReadonlySet<Argument["type"]>;
  /** The event is one of the new program: matchBinaries is about its path. */
  readonly binary: TextFacet;
  readonly notes: readonly string[];
}

const binprm = (index: number, binary: TextFacet = "binary"): ExecHook => ({
  index,
  types: new Set<Argument["type"]>(["linux_binprm", "auto"]),
  ...{ binary, notes: [] },
});

/** The reference compares the name that the caller wrote. */
const openedFile =
  "the path is that of the file that the call opens: links and relative names are resolved, and every call that executes is covered";

const name = (index: number, type: Argument["type"], binary: TextFacet = "binary"): ExecHook => ({
  index,
  types: new Set<Argument["type"]>(["string", type, "auto"]),
  ...{ binary, notes: [openedFile] },
});

/** For tracepoints the index counts the fields that all of them have; for a raw one it counts the arguments. */
const execHooks: ReadonlyMap<string, ExecHook> = new Map([
  ["security_bprm_check", binprm(0)],
  ["bprm_check_security", binprm(0)],
  ["sys_execve", name(0, "filename")],
  ["sys_execveat", name(1, "filename")],
  ["sched/sched_process_exec", name(4, "data_loc", "arg0")],
  ["raw sched/sched_process_exec", binprm(2, "arg0")],
  ["syscalls/sys_enter_execve", name(5, "filename")],
  ["syscalls/sys_enter_execveat", name(6, "filename")],
]);

/** Undefined: the hook is not about executions, or the policy asks for more of it than the path. */
export function findExecTarget(
  hook: string,
  declared: readonly Argument[],
  report: HookTarget["report"],
): HookTarget | undefined {
  const found = execHooks.get(hook);
  if (found === undefined) return undefined;
  const isOther = ({ index, type, resolve }: Argument): boolean =>
    (index !== found.index || !found.types.has(type) || resolve !== "") && type !== "nop";
  const places = declared.map(
    (argument): ArgumentPlace =>
      isOther(argument)
        ? { argument, kind: "unread", needs: `programs that read argument ${argument.index} of an execution` }
        : { argument, kind: "text", facet: "arg0", isPath: true },
  );
  const { binary, notes } = found;
  return { ...plainTarget, hooks: [{ kind: "exec" }], places, binary, report, notes };
}
