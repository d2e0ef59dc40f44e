// SPDX-License-Identifier: Apache-2.0
// The types of the glossary are where it says.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { findCode, readText, root } from "./documents.ts";

interface Entry {
  readonly word: string;
  readonly type: string;
  /** A folder of the repository. */
  readonly place: string;
}

const entries: readonly Entry[] = readText("docs/glossary.md")
  .split("\n")
  .flatMap((line): readonly Entry[] => {
    const [, word, , types = "", where = "", end] = line.split("|").map((cell) => cell.trim());
    const [code] = findCode(types);
    const place = where.startsWith("agent ") ? `apps/agent/src/${findCode(where)[0]}` : findCode(where)[0];
    if (word === undefined || end === undefined || code === undefined || place === undefined) return [];
    return [{ word, type: code.replace(/\W.*$/, ""), place }];
  });

test("the entries are really seen", () => expect(entries.length).toBeGreaterThan(25));

test.each([...entries])("$word: $type in $place", ({ type, place }) => {
  const files = [...new Bun.Glob("**/*.ts").scanSync(join(root, place))].filter(
    (path) => !/\.(?:test|fixture)\.ts$|node_modules/.test(path),
  );
  const isExported = new RegExp(`^export (?:async )?(?:const|function|interface|type) ${type}\\b`, "m");
  expect(files.filter((path) => isExported.test(readText(join(place, path))))).not.toEqual([]);
});
