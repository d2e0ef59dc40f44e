// SPDX-License-Identifier: Apache-2.0

/** How many are in each state, in the order in which the states appear. */
export function countStates(list: readonly { readonly state: string }[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { state } of list) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}
