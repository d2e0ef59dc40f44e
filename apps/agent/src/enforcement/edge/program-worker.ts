// SPDX-License-Identifier: Apache-2.0
// The thread of the programs; its other side is program-thread.ts.

import { type HookPrograms, openHookPrograms, openProgramSet, type ProgramSet } from "@rthooks/bpf";
import { embeddedPrograms } from "@rthooks/bpf/embedded-programs";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { resetPriority } from "@rthooks/sys/priority";
import type { PlacedJob, ProgramJob, ProgramPlace, ProgramReport } from "./program-thread.ts";

// The thread's global object, which the types of the main thread lack.
declare const self: Worker;

interface Programs {
  readonly enforce: ProgramSet;
  readonly hooks: HookPrograms;
}

let opened: Programs | undefined;

function open({ directory, cgroupRoot }: ProgramPlace): Result<Programs, string> {
  if (opened !== undefined) return ok(opened);
  const enforce = openProgramSet({ object: embeddedPrograms(), directory, cgroupRoot });
  if (!enforce.ok) return enforce;
  const hooks = openHookPrograms({ enforce: enforce.value, directory, cgroupRoot });
  if (!hooks.ok) {
    enforce.value.close();
    return hooks;
  }
  opened = { enforce: enforce.value, hooks: hooks.value };
  return ok(opened);
}

function keep({ enforce, hooks }: Programs): Result<boolean, string> {
  const kept = enforce.keep();
  const hooksKept = kept.ok ? hooks.keep() : kept;
  return kept.ok && hooksKept.ok ? ok(kept.value || hooksKept.value) : hooksKept;
}

function work(place: ProgramPlace, job: ProgramJob): ProgramReport {
  const programs = open(place);
  if (!programs.ok) return { kind: job.kind, result: programs };
  const { hooks } = programs.value;
  switch (job.kind) {
    case "open":
      return { kind: job.kind, result: ok(undefined) };
    case "capabilities":
      return { kind: job.kind, result: ok(hooks.capabilities()) };
    case "attach":
      return { kind: job.kind, result: hooks.attach(job.hook) };
    case "detachUnused": {
      const detached = hooks.detachUnused(job.used);
      return { kind: job.kind, result: detached.ok ? ok(undefined) : detached };
    }
    case "keep":
      return { kind: job.kind, result: keep(programs.value) };
  }
}

/** A bug ends the job and not the thread, which holds the links. */
function attempt({ place, job }: PlacedJob): ProgramReport {
  try {
    return work(place, job);
  } catch (error) {
    return { kind: job.kind, result: err(`a bug: ${describeError(error)}`) };
  }
}

resetPriority();
self.onmessage = ({ data }: MessageEvent<PlacedJob>) => self.postMessage(attempt(data));
