// SPDX-License-Identifier: Apache-2.0
// Each block of commands is run by a test, or says why not.
import { expect, test } from "bun:test";
import { findBlocks } from "../pages/find-blocks.ts";
import { pagesThatRun } from "../pages/pages-that-run.ts";
import { documents } from "./documents.ts";

const pages = documents.filter(({ path }) => !/^docs\/(?:reference|adr)\//.test(path));

test("there are blocks that are run, and some that are not", () => {
  const blocks = pages.flatMap(({ path, text }) => findBlocks(text).map((block) => ({ path, ...block })));
  const run = blocks.filter(({ path, notRun }) => pagesThatRun.includes(path) && notRun === undefined);
  expect(run.length).toBeGreaterThan(30);
  expect(blocks.length).toBeGreaterThan(run.length);
});

test.each(pages)("$path: a block that no test runs says why", ({ path, text }) => {
  const silent = findBlocks(text).filter(
    ({ notRun }) => notRun === undefined && !pagesThatRun.includes(path),
  );
  expect(silent.map(({ line, commands }) => `line ${line}: ${commands.split("\n")[0]}`)).toEqual([]);
});

const page = `# A
\`\`\`sh
one
\`\`\`

Which prints:

\`\`\`text
1
\`\`\`

<!-- not run: needs a cluster -->

- b
  <!-- not run: needs c -->

  \`\`\`sh
  two
  \`\`\`

\`\`\`text
2

\`\`\`
# B

\`\`\`sh
three
\`\`\`

Prose.
More prose.

\`\`\`text
3
\`\`\`
`;

test("blocks of a page are found with heading, output and reason", () => {
  expect(
    findBlocks(page).map(({ heading, commands, output, notRun }) => [heading, commands, output, notRun]),
  ).toEqual([
    ["A", "one\n", "1\n", undefined],
    ["A", "two\n", "2\n\n", "needs c"],
    ["B", "three\n", undefined, undefined],
  ]);
});
