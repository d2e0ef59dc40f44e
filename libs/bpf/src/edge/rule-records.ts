// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";
import { renderBpfError } from "../core/bpf-error.ts";
import { encodeNumber } from "../core/bytes.ts";
import { type PlacedRule, toActionValue } from "../core/placed-rule.ts";
import { decodeCounts, encodeAction, type RuleCounts, readGeneration } from "../core/rule-layout.ts";
import { decodeOwner, encodeOwner, type RuleOwner } from "../core/rule-owner.ts";
import type { BpfMap } from "./bpf-map.ts";

/** What the maps have of each rule by its number. Errors are one line. */
export interface RuleRecords {
  /** Actions, owner, and counts from 0 on. */
  put(placed: PlacedRule): Result<void, string>;
  owner(number: number): RuleOwner;
  counts(number: number): Result<RuleCounts, string>;
}

export function openRuleRecords(map: (name: string) => BpfMap): RuleRecords {
  const [actions, owners, counts] = [map("rule_actions"), map("rule_owners"), map("rule_counts")];
  return {
    put({ number, rule, owner }) {
      const key = encodeNumber(number);
      const text = encodeOwner(owner);
      if (!text.ok) return text;
      const before = actions.lookup(key);
      if (!before.ok) return err(renderBpfError(before.error));
      const generation = (readGeneration(before.value ?? new Uint8Array(24)) + 1) >>> 0;
      for (const done of [
        () => actions.update(key, encodeAction(toActionValue(rule, generation))),
        () => counts.update(key, new Uint8Array(counts.valueBytes)),
        () => owners.update(key, text.value),
      ]) {
        const written = done();
        if (!written.ok) return err(renderBpfError(written.error));
      }
      return ok(undefined);
    },
    owner(number) {
      const found = owners.lookup(encodeNumber(number));
      return decodeOwner(found.ok ? (found.value ?? new Uint8Array()) : new Uint8Array());
    },
    counts(number) {
      const found = counts.lookup(encodeNumber(number));
      return found.ok ? ok(decodeCounts(found.value ?? new Uint8Array())) : err(renderBpfError(found.error));
    },
  };
}
