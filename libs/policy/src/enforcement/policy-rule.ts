// SPDX-License-Identifier: Apache-2.0
// What a selector of a policy becomes: a rule for the kernel, or the reason why not.

import type { Filter } from "../filter/filter.ts";
import type { HookPoint, KernelRule } from "./kernel-rule.ts";
import type { RuleReport } from "./rule-report.ts";

export interface PolicyRule {
  readonly rule: KernelRule;
  /**
   * For each hook of the rule the kernel function that stands in on a node without a program for that LSM hook. The filters
   * are about the same arguments.
   */
  readonly fallbacks: readonly (HookPoint | undefined)[];
  /** A hook that the node's kernel does not have is left out: ignore.callNotFound. */
  readonly mayBeMissing: boolean;
  /** The rule is about the containers that all of these match. None: about all containers. */
  readonly filters: readonly Filter[];
  /** The rule is also about processes in no container. */
  readonly includesHost: boolean;
  /** Where the rule is wider or narrower than the words of the policy; sentences. */
  readonly notes: readonly string[];
  readonly report: RuleReport;
}

/** A field of the selector or its hook that asks for what the programs cannot do. */
export interface MissingCapability {
  /** "matchArgs[0].operator" */
  readonly field: string;
  /** "a kprobe on a kernel function" */
  readonly needs: string;
}

/** `selector`: "kprobes[0].selectors[1]", or "kprobes[0]" where the hook has none. */
export type SelectorOutcome = { readonly selector: string } & (
  | { readonly kind: "rule"; readonly rule: PolicyRule }
  | { readonly kind: "unsupported"; readonly missing: MissingCapability }
);

/** The selectors of one hook, in order: of those that match the first one decides. */
export interface HookOutcome {
  /** "kprobes[0]" */
  readonly hook: string;
  readonly outcomes: readonly SelectorOutcome[];
}

/** One line, for a selector like "kprobes[0].selectors[1]". */
export const renderMissing = (selector: string, { field, needs }: MissingCapability): string =>
  `${selector}: ${field} needs ${needs}`;
