// SPDX-License-Identifier: Apache-2.0
// What an explanation says of a filter is what the filter does.
import { expect, test } from "bun:test";
import { createFilterMembership, findUnmetTerm } from "@rthooks/policy";
import fc from "fast-check";
import { container, definition } from "./filter-arbitraries.ts";

test("a term fails exactly where the container is not in the filter", () => {
  const seen = { selected: 0, unmet: 0 };
  fc.assert(
    fc.property(container, definition, (some, filter) => {
      const membership = createFilterMembership();
      membership.putFilter(2, filter);
      membership.putContainer(some);
      const isMember = membership.isMember(2, some.cgroupId);
      const unmet = findUnmetTerm(filter, some);
      expect(unmet === undefined).toBe(isMember);
      if (unmet !== undefined) expect([unmet.term, unmet.found]).not.toContain("");
      seen[isMember ? "selected" : "unmet"]++;
    }),
    { numRuns: 5_000, includeErrorInReport: true },
  );
  // Either case must be common, or the property says little.
  expect(Math.min(seen.selected, seen.unmet)).toBeGreaterThan(200);
}, 120_000);
