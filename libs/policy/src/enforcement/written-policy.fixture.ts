// SPDX-License-Identifier: Apache-2.0
// Policies in a few words, and what becomes of their selectors.
import { parseTracingPolicy } from "../schema/tracing-policy.ts";
import type { RuleFilters } from "./kernel-rule.ts";
import { type PolicyRule, renderMissing, type SelectorOutcome } from "./policy-rule.ts";
import type { Architecture } from "./syscall-numbers.ts";
import { toKernelRules } from "./to-kernel-rules.ts";

export function convert(
  spec: object,
  namespace?: string,
  architecture: Architecture = "x64",
): readonly SelectorOutcome[] {
  const parsed = parseTracingPolicy({
    apiVersion: "cilium.io/v1alpha1",
    kind: namespace === undefined ? "TracingPolicy" : "TracingPolicyNamespaced",
    metadata: { name: "a", namespace },
    spec,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return toKernelRules(parsed.value, architecture).flatMap(({ outcomes }) => outcomes);
}

/** The only rule of a policy. */
export function toRule(spec: object, architecture?: Architecture): PolicyRule {
  const [outcome, ...others] = convert(spec, undefined, architecture);
  if (outcome?.kind !== "rule" || others.length > 0) throw new Error(JSON.stringify(outcome));
  return outcome.rule;
}

/** Why a policy has no rules: one line for each selector. */
export const listReasons = (spec: object, architecture?: Architecture): readonly string[] =>
  convert(spec, undefined, architecture).map((outcome) =>
    outcome.kind === "unsupported" ? renderMissing(outcome.selector, outcome.missing) : outcome.kind,
  );

/** The filters of the only rule, without the empty lists. */
export const filtersOf = (spec: object, architecture?: Architecture): Partial<RuleFilters> =>
  Object.fromEntries(
    Object.entries(toRule(spec, architecture).rule.filters).filter(([, filters]) => filters.length > 0),
  );

interface Written {
  readonly operator: string;
  readonly values?: readonly string[];
  readonly index?: number;
  readonly args?: readonly number[];
}
export const filter = (operator: string, ...values: readonly string[]): Written => ({ operator, values });
export const at = (index: number, written: Written): Written => ({ ...written, index });
export const select = (...matchArgs: readonly Written[]) => ({ matchArgs });
export const act = (action: string, more: object = {}) => ({ matchActions: [{ action, ...more }] });

export const bprm = [{ index: 0, type: "linux_binprm" }];
export const exec = (...selectors: readonly object[]) => ({
  lsmhooks: [{ hook: "bprm_check_security", args: bprm, selectors }],
});
/** A kernel function, or an LSM hook by its function, with arguments of these types. */
export const call = (name: string, types: readonly string[], ...selectors: readonly object[]) => ({
  kprobes: [{ call: name, syscall: false, args: types.map((type, index) => ({ index, type })), selectors }],
});
export const syscall = (name: string, types: readonly string[], ...selectors: readonly object[]) => ({
  kprobes: [{ call: name, args: types.map((type, index) => ({ index, type })), selectors }],
});
export const tcp = (...selectors: readonly object[]) => call("tcp_connect", ["sock"], ...selectors);
export const socket = (...selectors: readonly object[]) =>
  call("security_socket_connect", ["socket", "sockaddr"], ...selectors);

/** Filters of a rule. */
export const exact = (facet: string, ...values: readonly string[]) => ({
  texts: [{ facet, match: "exact", isNegated: false, values }],
});
export const numbers = (facet: string, ...values: readonly bigint[]) => ({
  numbers: [{ facet, values, isNegated: false }],
});
