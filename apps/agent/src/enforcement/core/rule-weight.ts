// SPDX-License-Identifier: Apache-2.0

import type { KernelRule } from "@rthooks/policy";

/** Entries that a range of 64-bit numbers can need in a longest-prefix map, both ends counted. */
const RANGE_ENTRIES = 126;

/** How many entries the rule's filters can need in the kernel's maps, at most. */
export function weighRule({ filters }: Pick<KernelRule, "filters">): number {
  const { numbers, comparisons, texts, addresses } = filters;
  const lengths = [
    ...[...numbers, ...texts].map(({ values }) => values.length),
    ...addresses.map(({ blocks }) => blocks.length),
    ...comparisons.map(({ values }) => values.length * RANGE_ENTRIES),
  ];
  return lengths.reduce((sum, length) => sum + length, 0);
}
