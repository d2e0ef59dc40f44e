// SPDX-License-Identifier: Apache-2.0
// What an explanation says of a filter is what the filter does.
import { expect, test } from "bun:test";
import { createFilterMembership, findFailingTerm } from "@rthooks/policy";
import fc from "fast-check";
import { container, definition } from "./filter-arbitraries.ts";

test("a term fails exactly where the container is not in the filter", () => {
  const seen = { selected: 0, failing: 0 };
  fc.assert(
    fc.property(container, definition, (some, filter) => {
      const membership = createFilterMembership();
      membership.putFilter(2, filter);
      membership.putContainer(some);
      const isMember = membership.isMember(2, some.cgroupId);
      const failing = findFailingTerm(filter, some);
      expect(failing === undefined).toBe(isMember);
      if (failing !== undefined) expect([failing.term, failing.found]).not.toContain("");
      seen[isMember ? "selected" : "failing"]++;
    }),
    { numRuns: 5_000, includeErrorInReport: true },
  );
  // Either case must be common, or the property says little.
  expect(Math.min(seen.selected, seen.failing)).toBeGreaterThan(200);
}, 120_000);
