// SPDX-License-Identifier: Apache-2.0
// matchBinaries and matchPIDs, as filters on facets of the event.

import { err, ok, type Result } from "@rthooks/result";
import type { Selector } from "../schema/selector.ts";
import type { NumberFilter, TextFacet } from "./kernel-rule.ts";
import type { MissingCapability } from "./policy-rule.ts";
import { type FoundText, toTextFilter } from "./text-filter.ts";

/** `facet`: which has the path of the binary. The reference ignores an entry without values. */
export function toBinaryFilters(
  filters: Selector["matchBinaries"],
  facet: TextFacet,
): Result<readonly FoundText[], MissingCapability> {
  const texts: FoundText[] = [];
  for (const [at, filter] of filters.entries()) {
    const missing = (field: string, needs: string) => err({ field: `matchBinaries[${at}].${field}`, needs });
    if (filter.followChildren)
      return missing("followChildren", "programs that follow the parents of a process");
    if (filter.values.length === 0) continue;
    const found = toTextFilter(filter, facet, true);
    if (found === undefined) return missing("operator", `a comparison of paths by ${filter.operator}`);
    if (!found.ok) return missing(found.error.field, found.error.needs);
    texts.push(found.value);
  }
  return ok(texts);
}

export function toPidFilters(
  filters: Selector["matchPIDs"],
): Result<readonly NumberFilter[], MissingCapability> {
  const numbers: NumberFilter[] = [];
  for (const [at, { operator, followForks, isNamespacePID, values }] of filters.entries()) {
    const missing = (field: string, needs: string) => err({ field: `matchPIDs[${at}].${field}`, needs });
    if (followForks) return missing("followForks", "programs that follow the parents of a process");
    if (values.length === 0) return missing("values", "a value");
    numbers.push({
      facet: isNamespacePID ? "namespacePid" : "pid",
      values: [...new Set(values)].map(BigInt),
      isNegated: operator === "NotIn",
    });
  }
  return ok(numbers);
}
