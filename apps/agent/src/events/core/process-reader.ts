// SPDX-License-Identifier: Apache-2.0

import type { Program } from "./program.ts";

/** A process as /proc has it. */
export interface FoundProcess {
  readonly pid: number;
  readonly parentPid: number;
  /** In nanoseconds since the boot, in whole ticks. */
  readonly startTime: bigint;
  readonly uid: number;
  readonly namespacePid: number | undefined;
  readonly program: Program;
}

/** The port through which processes that are older than the agent are known. */
export interface ProcessReader {
  /** Undefined if it has ended. */
  read(pid: number): FoundProcess | undefined;
}
