// SPDX-License-Identifier: Apache-2.0
// The thread that loads, attaches, pins and detaches programs: the verifier takes up to a second for a program, and calls of
// containers must not wait for it. Both sides use the same pins. When a bug ends the thread, another one adopts what is
// pinned and does the job again; links that the ended one held stay with the process, without an effect.

import type { Logger } from "@rthooks/log";
import type { HookPoint, NodeCapabilities } from "@rthooks/policy";
import { err, type Result } from "@rthooks/result";
import { createJobThread } from "../../base/edge/job-thread.ts";
import type { AttachedPrograms } from "../core/attached-programs.ts";

/** Where the programs are pinned and attached. */
export interface ProgramPlace {
  readonly directory: string;
  /** Directory of the root of the v2 hierarchy. */
  readonly cgroupRoot: string;
}

export type ProgramJob =
  | { readonly kind: "open" }
  | { readonly kind: "capabilities" }
  | { readonly kind: "attach"; readonly hook: HookPoint }
  | { readonly kind: "detachUnused"; readonly used: ReadonlySet<number> }
  | { readonly kind: "keep" };

export interface PlacedJob {
  readonly place: ProgramPlace;
  readonly job: ProgramJob;
}

/** What comes of each kind of job. */
interface Outcomes {
  readonly open: undefined;
  readonly capabilities: NodeCapabilities;
  readonly attach: number;
  readonly detachUnused: undefined;
  readonly keep: boolean;
}

/** Errors are one line. */
export type ProgramReport = {
  [K in keyof Outcomes]: { readonly kind: K; readonly result: Result<Outcomes[K], string> };
}[keyof Outcomes];

export interface ProgramThread extends AttachedPrograms {
  /** Adopts nothing yet. The error says why no program can be attached. */
  open(): Promise<Result<undefined, string>>;
  /** Pins again what has lost its pin; true: there was something. */
  keep(): Promise<Result<boolean, string>>;
  /** Ends the thread, also within a job; attached programs go on. */
  close(): void;
}

export interface ProgramThreadOptions {
  readonly place: ProgramPlace;
  readonly log: Logger;
  /** The maps must be pinned in their place before a thread opens them. */
  beforeStart(): void;
  /** Instead of the thread's own program. */
  startWorker?(): Worker;
}

const startOwnWorker = (): Worker => new Worker(new URL("./program-worker.ts", import.meta.url));

export function startProgramThread(options: ProgramThreadOptions): ProgramThread {
  const { place, log, beforeStart, startWorker = startOwnWorker } = options;
  let isClosed = false;
  let capabilities: NodeCapabilities | undefined;
  const thread = createJobThread<PlacedJob, ProgramReport>(() => {
    beforeStart();
    return startWorker();
  });

  const run = async <K extends keyof Outcomes>(
    job: ProgramJob & { readonly kind: K },
  ): Promise<Result<Outcomes[K], string>> => {
    if (isClosed) return err("the agent is stopping");
    const first = await thread.run({ place, job });
    if (!first.ok && !isClosed)
      log.error("the thread of the programs ended; another one starts", { err: first.error });
    const report = first.ok || isClosed ? first : await thread.run({ place, job });
    if (!report.ok) return report;
    if (report.value.kind !== job.kind) return err("the answer belongs to another job");
    return report.value.result as Result<Outcomes[K], string>; // as: of this kind, as compared
  };

  return {
    open: () => run({ kind: "open" }),
    async capabilities() {
      if (capabilities !== undefined) return { ok: true, value: capabilities };
      const found = await run({ kind: "capabilities" });
      if (found.ok) capabilities = found.value;
      return found;
    },
    attach: (hook) => run({ kind: "attach", hook }),
    detachUnused: (used) => run({ kind: "detachUnused", used }),
    keep: () => run({ kind: "keep" }),
    close() {
      isClosed = true;
      thread.close();
    },
  };
}
