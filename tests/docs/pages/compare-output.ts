// SPDX-License-Identifier: Apache-2.0

/** Values that differ from run to run, by a word for their kind. */
const changing: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/g, "UUID"],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| ?[+-]\d{4})?/g, "TIME"],
  [/\b[0-9a-f]{12,64}\b/g, "ID"],
  [/\b\d+(?:\.\d+)?(?:µs|ms|s|m)\b/g, "DURATION"],
  [/\b\d{4,}\b/g, "NUMBER"],
  [/[ \t]+/g, " "],
];

const toComparable = (line: string): string =>
  changing.reduce((all, [pattern, word]) => all.replaceAll(pattern, word), line).trim();

const toPattern = (line: string): RegExp =>
  new RegExp(
    `^${toComparable(line)
      .split("…")
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*")}$`,
  );

const toLines = (text: string): readonly string[] => text.trim().split("\n");

/**
 * Where the output of commands is not what a page shows: the line of the page that has no counterpart. In a page "…" stands
 * for any text within its line, and a line of "…" alone for any lines. Ids, times and long numbers are equal to each other.
 */
export function findDifference(shown: string, printed: string): string | undefined {
  const wanted = toLines(shown);
  const found = toLines(printed).map(toComparable);
  let at = 0;
  let mayJump = false;
  for (const line of wanted) {
    if (line.trim() === "…") {
      mayJump = true;
      continue;
    }
    const pattern = toPattern(line);
    while (mayJump && at < found.length && !pattern.test(found[at] ?? "")) at++;
    if (!pattern.test(found[at] ?? "")) return line;
    at++;
    mayJump = false;
  }
  return mayJump || at === found.length ? undefined : `(nothing for the line "${found[at]}")`;
}
