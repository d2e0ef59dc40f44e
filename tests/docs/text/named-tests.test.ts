// SPDX-License-Identifier: Apache-2.0
// Tests that a document names are there: the text of a link to a test file is a part of a test's name.
import { expect, test } from "bun:test";
import { dirname, join, normalize } from "node:path";
import { documents, readText } from "./documents.ts";

const named = documents.flatMap(({ path, text }) =>
  [...text.matchAll(/\[([^\]]+)\]\(([^)#]*(?:\.test|-suite)\.ts)\)/g)].map(([, name = "", target = ""]) => ({
    document: path,
    file: normalize(join(dirname(path), target)),
    name: name.replaceAll("`", ""),
  })),
);

test("the names are really seen", () => expect(named.length).toBeGreaterThan(40));

test.each(named)("$document: $name", ({ file, name }) => {
  // A text may stand in parts in its source, and a link may have the path as its text.
  const source = readText(file).replaceAll(/\s+/g, " ");
  expect(file.endsWith(name) || source.includes(name)).toBeTrue();
});
