// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";
import { type FilterLimits, MAX_FILTERS } from "./filter-ids.ts";

interface LimitFlags {
  readonly "namespace-filters": string;
  readonly "cluster-filters": string;
}

/** The error names the flag. */
export function parseFilterLimits(given: LimitFlags): Result<FilterLimits, string> {
  const perNamespace = parseCount("namespace-filters", given["namespace-filters"]);
  if (!perNamespace.ok) return perNamespace;
  const forCluster = parseCount("cluster-filters", given["cluster-filters"]);
  return forCluster.ok ? ok({ perNamespace: perNamespace.value, forCluster: forCluster.value }) : forCluster;
}

function parseCount(flag: keyof LimitFlags, text: string): Result<number, string> {
  const count = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  return count <= MAX_FILTERS
    ? ok(count)
    : err(`--${flag}: ${JSON.stringify(text)} is not a number from 0 to ${MAX_FILTERS}`);
}
