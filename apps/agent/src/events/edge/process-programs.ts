// SPDX-License-Identifier: Apache-2.0

import { openProgramSet } from "@rthooks/bpf";
import { embeddedProcessPrograms } from "@rthooks/bpf/embedded-programs";
import type { Logger } from "@rthooks/log";
import { ok, type Result } from "@rthooks/result";

/** The programs that tell the thread of the events about processes. */
export interface ProcessPrograms {
  /** Programs that are not attached, and why, one line each. */
  problems(): readonly string[];
  /** Pins again what is not pinned any more. */
  keep(): void;
  detach(): void;
  /** The programs go on. */
  close(): void;
}

const programs = ["tell_exec", "tell_exit", "tell_fork", "tell_cgroup_gone"] as const;

/** `directory`: of the pinned maps that they have in common with those that enforce. The error is one line. */
export function attachProcessPrograms(
  directory: string,
  cgroupRoot: string,
  log: Logger,
): Result<ProcessPrograms, string> {
  const set = openProgramSet({ object: embeddedProcessPrograms(), directory, cgroupRoot });
  if (!set.ok) return set;
  const failures = programs.flatMap((name) => {
    const done = set.value.attach(name);
    if (done.ok) return [];
    log.error("cannot attach a program", { err: done.error.reason });
    return [done.error.reason];
  });
  let pinProblem = "";
  return ok({
    problems: () => [...failures, ...(pinProblem === "" ? [] : [pinProblem])],
    keep() {
      const kept = set.value.keep();
      pinProblem = kept.ok ? "" : `programs that report processes are not pinned: ${kept.error}`;
    },
    detach() {
      for (const name of programs) {
        const done = set.value.detach(name);
        if (!done.ok) log.warn("cannot detach a program", { err: done.error });
      }
    },
    close: set.value.close,
  });
}
