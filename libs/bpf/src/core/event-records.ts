// SPDX-License-Identifier: Apache-2.0
// What the records of bpf/events.h contain.

import type { addressFacets, numberFacets, recordedTexts } from "./facets.ts";
import type { RuleSet } from "./rule-layout.ts";

/** Of the process that caused the record. Times are in nanoseconds since the boot. */
export interface RecordHead {
  readonly time: bigint;
  /** Id of the root cgroup of its container; 0 for a process in no known container. */
  readonly container: bigint;
  /** With `pid` it identifies a process. */
  readonly startTime: bigint;
  readonly pid: number;
  readonly tid: number;
  readonly uid: number;
  readonly parentPid: number;
  readonly parentStartTime: bigint;
}

/** The process has begun a program. */
export interface ExecRecord extends RecordHead {
  readonly kind: "exec";
  /** Login uid, 0xffffffff where it is not set; undefined where the kernel has none. */
  readonly auid: number | undefined;
  /** In the innermost namespace. */
  readonly namespacePid: number;
  /** Of the executable, of a script its interpreter's, as the process sees it; undefined where it is not known. */
  readonly path: string | undefined;
  /** With the name of the program; undefined where they are not known. */
  readonly arguments: readonly string[] | undefined;
  /** There are more, or the last one is longer. */
  readonly areArgumentsCut: boolean;
  readonly cwd: string | undefined;
}

export interface ExitRecord extends RecordHead {
  readonly kind: "exit";
  /** As of waitpid(2). */
  readonly exitCode: number;
}

/** The process has made another one. */
export interface ForkRecord extends RecordHead {
  readonly kind: "fork";
  readonly childPid: number;
  /** In the innermost namespace of the child. */
  readonly childNamespacePid: number;
  readonly childStartTime: bigint;
}

/** Rules match what the process does. */
export interface MatchRecord extends RecordHead {
  readonly kind: "match";
  /** Id of the hook. */
  readonly hook: number;
  /** The call fails. */
  readonly isDenied: boolean;
  /** The process gets a signal. */
  readonly isSignalled: boolean;
  /** Rules for which an event is due. */
  readonly rules: RuleSet;
  /** Those whose effects were carried out. */
  readonly enforced: RuleSet;
  /** What is known. Numbers are unsigned: of a negative one the two's complement. */
  readonly numbers: Partial<Readonly<Record<(typeof numberFacets)[number], bigint>>>;
  readonly texts: Partial<Readonly<Record<(typeof recordedTexts)[number], string>>>;
  /** The bytes of those texts that are not UTF-8. */
  readonly bytes: Partial<Readonly<Record<(typeof recordedTexts)[number], Uint8Array>>>;
  readonly addresses: Partial<Readonly<Record<(typeof addressFacets)[number], string>>>;
}

/** The cgroup of a known container was removed. */
export interface CgroupGoneRecord extends RecordHead {
  readonly kind: "cgroup_gone";
  readonly cgroup: bigint;
}

export type EventRecord = ExecRecord | ExitRecord | ForkRecord | MatchRecord | CgroupGoneRecord;
