// SPDX-License-Identifier: Apache-2.0
// Suggestions for an unknown name.

/** Longer names get no suggestions: the cost of a comparison is the product of the lengths. */
const maxLength = 40;
const maxNames = 3;

/** The known names closest to `name`, ignoring case; none if no name is close. */
export function findNearestNames(name: string, known: readonly string[]): readonly string[] {
  if (name.length > maxLength) return [];
  const wanted = name.toLowerCase();
  // For five letters, two edits.
  const limit = Math.ceil(wanted.length / 3);
  const measured = known.map((candidate) => ({
    candidate,
    distance: measure(wanted, candidate.toLowerCase()),
  }));
  const nearest = Math.min(limit, ...measured.map(({ distance }) => distance));
  return measured
    .filter(({ distance }) => distance === nearest)
    .slice(0, maxNames)
    .map(({ candidate }) => candidate);
}

/** "a", "a or b", "a, b or c" */
export function joinNames(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} or ${last}`;
}

/** The Levenshtein distance, row by row. */
function measure(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let line = 0; line < left.length; line += 1) {
    const next = [line + 1];
    for (let column = 0; column < right.length; column += 1) {
      const replaced = (row[column] ?? 0) + (left[line] === right[column] ? 0 : 1);
      const removed = (row[column + 1] ?? 0) + 1;
      const added = (next[column] ?? 0) + 1;
      next.push(Math.min(replaced, removed, added));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
