// SPDX-License-Identifier: Apache-2.0
// Phrases that this project does not use, in messages, help, comments and documents: see CONTRIBUTING.md.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findPhrases } from "./find-phrases.ts";

const root = join(import.meta.dir, "..", "..", "..");

const isTest = (path: string): boolean => /\.(?:test|fixture)\.ts$/.test(path);
const isGenerated = (path: string): boolean =>
  path.includes("/src/gen/") || path.startsWith("docs/reference/");

const patterns = ["*.md", "{apps,bench,docs,libs,scripts}/**/*.{ts,md}"];
const files = patterns
  .flatMap((pattern) => [...new Bun.Glob(pattern).scanSync(root)])
  .filter((path) => !(path.includes("node_modules/") || isTest(path) || isGenerated(path)))
  .toSorted();

test("the files are really seen", () => {
  expect(files.length).toBeGreaterThan(400);
  expect(files).toContain("README.md");
  expect(files).toContain("apps/agent/src/main.ts");
});

test("no source and no document has a phrase that is not plain English", () => {
  const found = files.flatMap((path) =>
    findPhrases(readFileSync(join(root, path), "utf8")).map(({ line, text }) => `${path}:${line} ${text}`),
  );
  expect(found).toEqual([]);
});

test.each([
  {
    name: "one that stands in a line",
    source: "a\nb\nNobody listens.",
    found: [{ line: 3, text: "Nobody" }],
  },
  { name: "one with a word of any kind", source: "it is no map", found: [{ line: 1, text: "is no map" }] },
  { name: "one over two lines", source: "this is\nno map", found: [{ line: 1, text: "is no map" }] },
  {
    name: "one over two lines of a comment",
    source: "  // a\n  // is\n  // no map",
    found: [{ line: 2, text: "is no map" }],
  },
  {
    name: "one over two lines of a docstring",
    source: " * told\n   * of",
    found: [{ line: 1, text: "told of" }],
  },
  {
    name: "one in a text of two parts",
    source: '"it is " +\n  "no map"',
    found: [{ line: 1, text: "is no map" }],
  },
  { name: "a part of a word", source: "a whoeverish, this notation, Janeway", found: [] },
  { name: "a number", source: "is no 1", found: [] },
])("finds $name", ({ source, found }) => {
  expect(findPhrases(source)).toEqual(found);
});
