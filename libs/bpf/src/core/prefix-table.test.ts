// SPDX-License-Identifier: Apache-2.0
// Against the plain definition: a filter matches a value if one of its prefixes covers it, or, negated, if none does; a
// rule matches if all of its filters do.
import { describe, expect, test } from "bun:test";
import { type Prefix, toPrefixName } from "./prefix.ts";
import { createPrefixTable, type PrefixEntry, type PrefixMatch, type PrefixTable } from "./prefix-table.ts";

const FACET = 3;
const toPrefix = (text: string, facet = FACET): Prefix => ({
  bits: 8 + text.length,
  bytes: Uint8Array.of(facet, Number.parseInt(text.padEnd(8, "0"), 2)),
});
const whole = toPrefix("");
const values = Array.from({ length: 256 }, (_, value) => value.toString(2).padStart(8, "0"));

interface Filter {
  readonly texts: readonly string[];
  readonly isNegated: boolean;
}
type Rule = readonly Filter[];

const isMatch = (rule: Rule, value: string): boolean =>
  rule.every(({ texts, isNegated }) => texts.some((text) => value.startsWith(text)) !== isNegated);
const toText = ({ bits, bytes }: Prefix): string =>
  (bytes[1] ?? 0)
    .toString(2)
    .padStart(8, "0")
    .slice(0, bits - 8);
const toMatch = (rule: Rule): PrefixMatch => ({
  facet: FACET,
  prefixes: rule.flatMap(({ texts }) => texts.map((text) => toPrefix(text))),
  matches: (prefix) => isMatch(rule, toText(prefix)),
});

/** The map as the kernel has it: a lookup gives the value of the longest prefix that covers the key. */
function createMap() {
  const entries = new Map<string, PrefixEntry>();
  const table: PrefixTable = createPrefixTable();
  return {
    entries,
    table,
    set(entry: PrefixEntry) {
      entries.set(toPrefixName(entry.prefix, entry.prefix.bits), entry);
      table.set(entry);
    },
    delete(prefix: Prefix) {
      entries.delete(toPrefixName(prefix, prefix.bits));
      table.delete(prefix);
    },
    lookUp(value: string): readonly number[] {
      const covering = [...entries.values()]
        .filter(({ prefix }) => prefix.bytes[0] === FACET && value.startsWith(toText(prefix)))
        .toSorted((one, other) => other.prefix.bits - one.prefix.bits);
      return [...(covering[0]?.rules ?? [])].toSorted((one, other) => one - other);
    },
  };
}

/** The same numbers in each run. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function writeRule(random: (below: number) => number): Rule {
  const toValue = (): string => values[random(256)]?.slice(0, random(9)) ?? "";
  return Array.from({ length: 1 + random(3) }, () => ({
    texts: Array.from({ length: random(4) }, toValue),
    isNegated: random(2) === 0,
  }));
}

describe("one lookup gives the rules that match", () => {
  test.each(Array.from({ length: 60 }, (_, seed) => ({ seed })))(
    "whatever conjunctions come and go, with each step: $seed",
    ({ seed }) => {
      const random = createRandom(seed + 1);
      const map = createMap();
      // Of another facet: it must not matter, and stay.
      map.set({ prefix: toPrefix("1", FACET + 1), rules: new Set([99]) });
      const present = new Map<number, Rule>();
      const judge = (value: string): readonly number[] =>
        [...present]
          .filter(([, rule]) => isMatch(rule, value))
          .map(([number]) => number)
          .toSorted((one, other) => one - other);
      /** What other rules match stays as it is, whatever step was the last one. */
      const checkOthers = (changing: number): void => {
        for (let at = 0; at < 256; at += 1 + random(40)) {
          const value = values[at] ?? "";
          expect(map.lookUp(value).filter((rule) => rule !== changing)).toEqual(
            judge(value).filter((rule) => rule !== changing),
          );
        }
      };
      for (let change = 0; change < 12; change++) {
        const number = random(6);
        if (present.has(number)) {
          for (const entry of map.table.findClears(new Set([number]))) {
            map.set(entry);
            checkOthers(number);
          }
          present.delete(number);
          for (const prefix of map.table.findRedundant(new Set([FACET]))) {
            map.delete(prefix);
            checkOthers(-1);
          }
        } else {
          const rule = writeRule(random);
          for (const entry of map.table.findPuts(number, toMatch(rule), whole)) {
            map.set(entry);
            checkOthers(number);
          }
          present.set(number, rule);
        }
        for (const value of values) expect(map.lookUp(value)).toEqual(judge(value));
      }
      for (const entry of map.table.findClears(new Set(present.keys()))) map.set(entry);
      for (const prefix of map.table.findRedundant(new Set([FACET]))) map.delete(prefix);
      expect([...map.entries.values()]).toEqual([{ prefix: toPrefix("1", FACET + 1), rules: new Set([99]) }]);
    },
  );
});

test("a rule that was put in part is complete after the next put", () => {
  const map = createMap();
  const first = map.table.findPuts(7, toMatch([{ texts: ["11", "0"], isNegated: false }]), whole);
  for (const entry of first.slice(0, 2)) map.set(entry);
  const next = map.table.findPuts(7, toMatch([{ texts: ["101"], isNegated: false }]), whole);
  for (const entry of next) map.set(entry);
  for (const value of values) expect(map.lookUp(value)).toEqual(value.startsWith("101") ? [7] : []);
});
