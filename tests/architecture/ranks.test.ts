// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pure, ranks, topicRanks } from "./ranks.ts";

const root = join(import.meta.dir, "..", "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const decision = read("docs/adr/0001-layout-and-dependency-direction.md");
const guide = read("docs/architecture.md");

interface Row {
  readonly rank: number;
  readonly names: readonly string[];
  /** The cell behind the names. */
  readonly third: string;
}

/** The rows of the table whose head has this word in its second cell. */
function readTable(text: string, head: string): readonly Row[] {
  const [, rows = ""] =
    new RegExp(`^\\| rank \\| ${head}[^\\n]*\\n\\|[- :|]+\\n((?:\\|.*\\n)+)`, "m").exec(text) ?? [];
  return rows
    .trimEnd()
    .split("\n")
    .map((row) => {
      const [, rank = "", names = "", third = ""] = row.split("|").map((cell) => cell.trim());
      return {
        rank: Number(rank),
        names: [...names.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name),
        third,
      };
    });
}

const toRanks = (rows: readonly Row[]): readonly (readonly [string, number])[] =>
  rows.flatMap(({ rank, names }) => names.map((name) => [name, rank] as const)).toSorted(byName);

const byName = ([one]: readonly [string, number], [other]: readonly [string, number]): number =>
  one < other ? -1 : 1;

test("ADR 1 has the ranks of the packages, and which of them are pure", () => {
  const rows = readTable(decision, "packages");
  expect(toRanks(rows)).toEqual([...ranks].toSorted(byName));
  expect(
    rows
      .filter(({ third }) => third === "no")
      .flatMap(({ names }) => names)
      .toSorted(),
  ).toEqual([...pure.keys()].toSorted());
});

test("ADR 1 has the ranks of the agent's topics", () => {
  expect(toRanks(readTable(decision, "topics"))).toEqual([...topicRanks].toSorted(byName));
});

test("docs/architecture.md has the same ranks", () => {
  expect(toRanks(readTable(guide, "package"))).toEqual([...ranks].toSorted(byName));
  expect(toRanks(readTable(guide, "topic"))).toEqual([...topicRanks].toSorted(byName));
});
