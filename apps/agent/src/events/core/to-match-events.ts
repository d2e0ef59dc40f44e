// SPDX-License-Identifier: Apache-2.0

import type { MatchRecord } from "@rthooks/bpf";
import type { RuleEffect, RuleReport } from "@rthooks/policy";
import type { AgentEvent, MatchAction, MatchFacts, ProcessFacts } from "./agent-event.ts";

/** A rule that is in force. */
export interface ReportedRule {
  readonly report: RuleReport;
  /** What an event of each hook says as the hook, by the hook's id. */
  readonly hookNames: ReadonlyMap<number, string>;
  readonly effects: readonly RuleEffect[];
}

/** One event for each rule for which one is due. Rules that are not known any more have none. */
export function toMatchEvents(
  record: MatchRecord,
  timeNs: bigint,
  subject: { readonly process: ProcessFacts; readonly parent: ProcessFacts | undefined },
  findRule: (number: number) => ReportedRule | undefined,
): readonly AgentEvent[] {
  const events: AgentEvent[] = [];
  const { numbers, texts, bytes, addresses } = record;
  const facts: MatchFacts = { numbers, texts, bytes, addresses };
  for (const number of record.rules) {
    const rule = findRule(number);
    if (rule === undefined) continue;
    const action = record.enforced.has(number) ? findAction(record, rule.effects) : "post";
    const { report } = rule;
    const hook = rule.hookNames.get(record.hook) ?? report.hook;
    events.push({ kind: "match", timeNs, ...subject, report, hook, action, facts });
  }
  return events;
}

/**
 * The strongest of what was done for the rule. A program that cannot signal denies the call in the place of a kill, and one
 * that cannot deny it kills in the place of an override.
 */
function findAction(
  { isDenied, isSignalled }: Pick<MatchRecord, "isDenied" | "isSignalled">,
  effects: readonly RuleEffect[],
): MatchAction {
  const has = (kind: RuleEffect["kind"]): boolean => effects.some((effect) => effect.kind === kind);
  if (isSignalled && (has("kill") || (has("override") && !isDenied))) return "kill";
  if (isDenied && (has("override") || has("kill"))) return "override";
  return isSignalled && has("signal") ? "signal" : "post";
}
