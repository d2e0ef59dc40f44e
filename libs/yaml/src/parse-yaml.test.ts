// SPDX-License-Identifier: Apache-2.0

import { describe, expect, test } from "bun:test";
import { parseYaml } from "./parse-yaml.ts";

const errorOf = (text: string): string => {
  const parsed = parseYaml(text);
  return parsed.ok ? "" : parsed.error;
};

test.each([
  ["documents", "a: 1\n---\n- x\n", [{ a: 1 }, ["x"]]],
  ["a byte order mark", '\uFEFF{"a": 1}', [{ a: 1 }]],
  ["a byte order mark before YAML", "\uFEFFa: 1\n", [{ a: 1 }]],
  ["a flow mapping that is no JSON", "{a: 1, b: [x]}", [{ a: 1, b: ["x"] }]],
  ["merge keys", "a: &a {x: 1}\nb:\n  <<: *a\n  x: 2\n", [{ a: { x: 1 }, b: { x: 2 } }]],
  [
    "what looks like a time or a word of YAML 1.1",
    "a: 2020-01-01\nb: yes\n",
    [{ a: "2020-01-01", b: "yes" }],
  ],
  ["a text without anything", "# nothing\n", []],
])("%s", (_, text, documents) => {
  expect(parseYaml(text)).toEqual({ ok: true, value: documents });
});

describe("a key that stands twice is refused with its path", () => {
  test.each([
    [
      "spec:\n  podSelector: {a: 1}\n  kprobes: []\n  podSelector: {b: 1}\n",
      "spec.podSelector: duplicate key (line 4, column 3)",
    ],
    [
      "a:\n- b: 1\n- c: 1\n  d:\n    - {x: 1, y: 2, x: 3}\n",
      "a[1].d[0].x: duplicate key (line 5, column 20)",
    ],
    ["a: 1\n---\nb: {c: 1}\nd:\n  'e.f': 1\n  \"e.f\": 2\n", 'd["e.f"]: duplicate key (line 6, column 4)'],
    ["? a\n: 1\n? a\n: 2\n", "a: duplicate key (line 3, column 3)"],
    ["a: &k x\nb: {*k : 1, y: 2, x: 3}\n", "b.x: duplicate key (line 2, column 19)"],
    ['{"a": [1, {"b": {}, "c": "}", "b": 2}]}', "a[1].b: duplicate key"],
    ['{"a": {"x\\u0079": "\\"", "z": ["{", ","], "xy": 2}}', "a.xy: duplicate key"],
    ['\uFEFF{"a": 1, "a": 1}', "a: duplicate key"],
  ])("%j", (text, error) => {
    expect(errorOf(text)).toBe(error);
  });

  test("but not one that stands in two objects, or in a string", () => {
    expect(parseYaml('{"a": {"b": "\\"b\\": 1, \\"b\\""}, "b": [{"b": 1}, {"b": 2}]}').ok).toBe(true);
    expect(parseYaml("a: {b: 1}\nb: {b: 2}\nc: [{b: 1}, {b: 1}]\n").ok).toBe(true);
  });
});

test("a fault has its place", () => {
  expect(errorOf("a: 1\nb: c: d\n")).toBe("line 2, column 5: bad indentation of a mapping entry");
});

/** Of each kind enough to take seconds where the work grows faster than the text. */
const long = 250_000;
const repeat = (part: string): string => part.repeat(long / part.length);
const bomb = Array.from(
  { length: 12 },
  (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level},`.repeat(10)}]`,
);
const hostile: readonly (readonly [string, string])[] = [
  ["quotes", repeat('"')],
  ["open sequences", repeat("a: [")],
  ["nested flow sequences", repeat("[")],
  ["nested flow mappings", repeat("{a: ")],
  ["nested block sequences", repeat("- ")],
  ["keys without values", repeat("? [\n")],
  ["anchors", repeat("- &a *a\n")],
  ["broken JSON", `{"a": ${repeat("[")}`],
  ["aliases of aliases", `a0: &a0 [x]\n${bomb.join("\n")}\n`],
  ["an alias of what it is in", "a: &a\n  b: [*a]\n"],
  [
    "a chain of aliases",
    `a0: &a0 [x]\n${Array.from({ length: 9000 }, (_, at) => `b${at}: &a${at + 1} [*a${at}, *a${at}]`).join("\n")}`,
  ],
  [
    "merges of merges",
    `a0: &a0 {x: 1}\n${Array.from({ length: 4000 }, (_, at) => `a${at + 1}: &a${at + 1}\n  <<: *a${at}\n  y${at}: 1`).join("\n")}`,
  ],
];

test.each(hostile)("broken on purpose is refused in a time that grows with the text alone: %s", (_, text) => {
  const parsed = parseYaml(text);
  expect(parsed.ok).toBe(false);
  expect(errorOf(text).split("\n")).toHaveLength(1);
  expect(errorOf(text).length).toBeLessThan(200);
});
