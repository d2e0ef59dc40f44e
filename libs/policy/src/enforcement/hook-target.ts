// SPDX-License-Identifier: Apache-2.0
// Where a hook of a policy is in the kernel, and where its events have the arguments.

import type { Result } from "@rthooks/result";
import type { ArgumentPlace } from "./argument-place.ts";
import type { CallLists } from "./call-list.ts";
import type { HookPoint, NumberFilter, TextFacet } from "./kernel-rule.ts";
import type { MissingCapability } from "./policy-rule.ts";
import type { RuleReport } from "./rule-report.ts";
import type { Architecture } from "./syscall-numbers.ts";

export interface HookTarget {
  readonly hooks: readonly HookPoint[];
  /** See PolicyRule. */
  readonly fallbacks: readonly (HookPoint | undefined)[];
  /** Of each declared argument. */
  readonly places: readonly ArgumentPlace[];
  /** Which matchBinaries is about. */
  readonly binary: TextFacet;
  /** Of all rules of the hook. */
  readonly numbers: readonly NumberFilter[];
  readonly report: Pick<RuleReport, "event" | "hook" | "hooks">;
  readonly notes: readonly string[];
}

export type FoundTarget = Result<HookTarget, MissingCapability>;

/** What most targets have. */
export const plainTarget = {
  fallbacks: [undefined],
  binary: "binary",
  numbers: [],
  notes: [],
} as const satisfies Partial<HookTarget>; // const: a facet

export interface TargetContext {
  readonly architecture: Architecture;
  readonly lists: CallLists;
}

const only64Bits = "system calls of 32-bit programs are not covered";

/** Where a hook does not cover all ways to make the call. */
export const noteCalls = (architecture: Architecture): readonly string[] =>
  architecture === "x64" ? [] : [only64Bits];
