// SPDX-License-Identifier: Apache-2.0

/**
 * Numbers by names, from a table of both, divided by spaces: a name has the number after that of the name before it, or the
 * number that is written before it.
 */
export function readCallNumbers(...tables: readonly string[]): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  let next = 0;
  for (const word of tables.join(" ").trim().split(/\s+/)) {
    if (/^\d+$/.test(word)) next = Number(word);
    else numbers.set(word, next++);
  }
  return numbers;
}
