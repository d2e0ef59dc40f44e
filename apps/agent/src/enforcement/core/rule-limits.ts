// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";
import { MAX_RULES, type RuleLimits } from "./rule-numbers.ts";

interface LimitFlags {
  readonly "namespace-rules": string;
  readonly "cluster-rules": string;
}

/** The error names the flag. */
export function parseRuleLimits(given: LimitFlags): Result<RuleLimits, string> {
  const perNamespace = parseCount("namespace-rules", given["namespace-rules"]);
  if (!perNamespace.ok) return perNamespace;
  const forCluster = parseCount("cluster-rules", given["cluster-rules"]);
  return forCluster.ok ? ok({ perNamespace: perNamespace.value, forCluster: forCluster.value }) : forCluster;
}

function parseCount(flag: keyof LimitFlags, text: string): Result<number, string> {
  const count = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  return count <= MAX_RULES
    ? ok(count)
    : err(`--${flag}: ${JSON.stringify(text)} is not a number from 0 to ${MAX_RULES}`);
}
