// SPDX-License-Identifier: Apache-2.0

import type { EnforcementCounts, PolicyEnforcement } from "@rthooks/explain";
import type { CountedRule } from "../../enforcement/core/enforcement.ts";

/** What the rules of a policy do on this node; undefined for a policy without any. `heldBy`: as lists of policies have it. */
export const toPolicyEnforcement = (
  heldBy: string,
  rules: readonly Pick<CountedRule, "counts">[],
): PolicyEnforcement | undefined =>
  heldBy === "" ? undefined : { mechanism: heldBy, counts: addCounts(rules) };

/** Of all rules together; undefined where those of one of them cannot be read. */
export function addCounts(rules: readonly Pick<CountedRule, "counts">[]): EnforcementCounts | undefined {
  const sum = { matches: 0, denials: 0, signals: 0, withheld: 0 };
  for (const { counts } of rules) {
    if (counts === undefined) return undefined;
    // Each match is one of these two.
    sum.matches += Number(counts.post + counts.nopost);
    sum.denials += Number(counts.override);
    sum.signals += Number(counts.signal);
    sum.withheld += Number(counts.monitorOverride + counts.monitorSignal);
  }
  return sum;
}
