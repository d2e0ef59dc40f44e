// SPDX-License-Identifier: Apache-2.0
// The rules that a policy needs, and what carries each of them out on this node.

import type { RuleOwner } from "@rthooks/bpf";
import {
  chooseMechanism,
  type Filter,
  type KernelRule,
  type Mechanism,
  type NodeCapabilities,
  type RuleReport,
  renderMissing,
  type TracingPolicy,
  toKernelRules,
} from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";

export interface PlannedRule {
  /** "kprobes[0].selectors[1]" */
  readonly selector: string;
  readonly owner: RuleOwner;
  /** With the hooks by which the node holds it. */
  readonly rule: KernelRule;
  readonly filters: readonly Filter[];
  readonly includesHost: boolean;
  readonly report: RuleReport;
  readonly mechanism: Mechanism;
  /** Where it is wider or narrower than the words of the policy; sentences. */
  readonly notes: readonly string[];
}

/** The rules of one hook in the order of its selectors: the first that matches decides. */
export type PlannedGroup = readonly PlannedRule[];

/** What a plan depends on besides the policy. */
export interface PlanningNode {
  readonly capabilities: NodeCapabilities;
  readonly architecture: "x64" | "arm64";
  /** Of a text, the same in every process. */
  digest(text: string): string;
}

/** The error is one line with the selectors and fields, and what they lack on this node. */
export function planPolicy(
  policyKey: string,
  policy: TracingPolicy,
  { capabilities, architecture, digest }: PlanningNode,
): Result<readonly PlannedGroup[], string> {
  /** What is missing, with the first selector that asks for it. */
  const missing = new Map<string, string>();
  const miss = (what: string, line: string): void => {
    if (!missing.has(what)) missing.set(what, line);
  };
  const groups = toKernelRules(policy, architecture).map(({ outcomes }): PlannedGroup => {
    const group: PlannedRule[] = [];
    const all = outcomes.flatMap((outcome) => (outcome.kind === "rule" ? outcome.rule : []));
    for (const outcome of outcomes) {
      const { selector } = outcome;
      if (outcome.kind === "unsupported") {
        const { field, needs } = outcome.missing;
        miss(`${field} ${needs}`, renderMissing(selector, outcome.missing));
        continue;
      }
      const { filters, includesHost, report, notes } = outcome.rule;
      const chosen = chooseMechanism(outcome.rule, capabilities, all);
      if (!chosen.ok) {
        miss(chosen.error, `${selector}: ${chosen.error}`);
        continue;
      }
      const { mechanism, hooks } = chosen.value;
      const rule = { ...outcome.rule.rule, hooks };
      const text = toText([rule, filters, includesHost, group.length === 0]);
      group.push({
        owner: { key: toOwnerKey(policyKey, selector), digest: digest(text) },
        ...{ selector, rule, filters, includesHost, report, mechanism },
        notes: [...notes, ...chosen.value.notes],
      });
    }
    return group;
  });
  if (missing.size === 0) return ok(groups.filter((group) => group.length > 0));
  return err(listSome([...missing.values()]));
}

/** Of filter-key.ts: "kprobes[0].selectors[1]" of a policy has the key "POLICY#kprobes.0.1". */
function toOwnerKey(policyKey: string, selector: string): string {
  const [hook = "0", at = "0"] = selector.match(/\d+/g) ?? [];
  return `${policyKey}#${/^[a-z]+/.exec(selector)?.[0] ?? "spec"}.${hook}.${at}`;
}

/** Of an owner's key. */
export const policyKeyOf = (ownerKey: string): string => ownerKey.replace(/#.*$/, "");

/** Of what says which events the rule is about, what it does, and in which containers. */
const toText = (content: readonly unknown[]): string =>
  JSON.stringify(content, (_, value: unknown) =>
    typeof value === "bigint" ? `${value}n` : value instanceof Map ? [...value] : value,
  );

const shown = 3;
const listSome = (lines: readonly string[]): string =>
  [...lines.slice(0, shown), ...(lines.length > shown ? [`and ${lines.length - shown} more`] : [])].join(
    "; ",
  );
