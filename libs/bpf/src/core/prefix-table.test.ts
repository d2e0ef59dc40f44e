// SPDX-License-Identifier: Apache-2.0
// Against the plain definition: a rule matches a value if one of its prefixes covers it, or, negated, if none does.
import { describe, expect, test } from "bun:test";
import {
  findPuts,
  findRemovals,
  findRules,
  type PrefixEntry,
  type PrefixMatch,
  toPrefixName,
} from "./prefix-table.ts";
import type { Prefix } from "./rule-layout.ts";

const LENGTH = 1;
const toPrefix = (text: string): Prefix => ({
  bits: text.length,
  bytes: Uint8Array.of(Number.parseInt(text.padEnd(8, "0"), 2)),
});
const values = Array.from({ length: 256 }, (_, value) => value.toString(2).padStart(8, "0"));

const createTable = () => new Map<string, PrefixEntry>();
function apply(
  table: Map<string, PrefixEntry>,
  puts: readonly PrefixEntry[],
  check: () => void = () => {},
): void {
  for (const entry of puts) {
    table.set(toPrefixName(entry.prefix), entry);
    check();
  }
}
const rulesOf = (table: ReadonlyMap<string, PrefixEntry>, value: string) => [
  ...findRules(table, toPrefix(value)),
];

interface Wanted {
  readonly texts: readonly string[];
  readonly isNegated: boolean;
}
const toMatch = ({ texts, isNegated }: Wanted): PrefixMatch => ({ prefixes: texts.map(toPrefix), isNegated });
const matches = ({ texts, isNegated }: Wanted, value: string): boolean =>
  texts.some((text) => value.startsWith(text)) !== isNegated;

/** Every order in which these rules can come, and their removal in it. */
const rules: readonly Wanted[] = [
  { texts: ["1"], isNegated: false },
  { texts: ["1010", "0"], isNegated: false },
  { texts: ["10"], isNegated: true },
  { texts: [], isNegated: true },
  { texts: ["10101111", "1"], isNegated: true },
];
const orders = (list: readonly number[]): readonly (readonly number[])[] =>
  list.length <= 1
    ? [list]
    : list.flatMap((first) => orders(list.filter((one) => one !== first)).map((rest) => [first, ...rest]));

describe("one lookup gives the rules that match", () => {
  test.each(orders([0, 1, 2, 3, 4]).map((order) => ({ order })))("added as $order", ({ order }) => {
    const table = createTable();
    const present = new Set<number>();
    const judge = (value: string, except: number): readonly number[] =>
      [...present].filter((rule) => rule !== except && matches(rules[rule] ?? never(), value));
    /** What other rules match stays as it is, whatever step was the last one. */
    const checkOthers = (changing: number) => () => {
      for (const value of ["00000000", "10101111", "10100000", "11111111"])
        expect(
          rulesOf(table, value)
            .filter((rule) => rule !== changing)
            .toSorted(),
        ).toEqual(judge(value, changing).toSorted());
    };
    for (const rule of order) {
      apply(table, findPuts(table, rule, toMatch(rules[rule] ?? never()), LENGTH), checkOthers(rule));
      present.add(rule);
      for (const value of values)
        expect(rulesOf(table, value).toSorted()).toEqual(judge(value, -1).toSorted());
    }
    for (const rule of order) {
      const { puts, deletions } = findRemovals(table, rule);
      apply(table, puts, checkOthers(rule));
      for (const prefix of deletions) {
        table.delete(toPrefixName(prefix));
        checkOthers(rule)();
      }
      present.delete(rule);
      for (const value of values)
        expect(rulesOf(table, value).toSorted()).toEqual(judge(value, -1).toSorted());
    }
    expect(table.size).toBe(0);
  });
});

test("a rule that was put in part is complete after the next put", () => {
  const table = createTable();
  apply(
    table,
    findPuts(table, 7, { prefixes: [toPrefix("11"), toPrefix("0")], isNegated: false }, LENGTH).slice(0, 2),
  );
  apply(table, findPuts(table, 7, { prefixes: [toPrefix("101")], isNegated: false }, LENGTH));
  for (const value of values) expect(rulesOf(table, value)).toEqual(value.startsWith("101") ? [7] : []);
});

function never(): never {
  throw new Error("no such rule");
}
