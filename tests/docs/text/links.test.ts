// SPDX-License-Identifier: Apache-2.0
// Links lead to files and headings that exist: those of documents, and the documents that sources name.
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { documents, readText, root } from "./documents.ts";
import { findAnchors, findLinks, findNamedDocuments, type Link } from "./find-links.ts";

/** With its target from the root of the repository. */
function isBroken({ target, anchor }: Link): boolean {
  if (!existsSync(join(root, target))) return true;
  return anchor !== undefined && !findAnchors(readText(target)).includes(anchor);
}

const linksOf = (path: string, text: string): readonly Link[] =>
  findLinks(text).map((link) => ({
    ...link,
    target: link.target === "" ? path : normalize(join(dirname(path), link.target)),
  }));

const toText = ({ target, anchor }: Link): string => (anchor === undefined ? target : `${target}#${anchor}`);

test.each(documents)("$path links to what is there", ({ path, text }) => {
  expect(linksOf(path, text).filter(isBroken).map(toText)).toEqual([]);
});

const sources = [
  "{apps,bench,libs,scripts,tests}/**/*.{ts,tsx,css,html,py,sh,c,h,proto}",
  "{bpf,deploy,examples,install}/**/*",
  "*.{json,toml}",
  "Makefile",
]
  .flatMap((pattern) => [...new Bun.Glob(pattern).scanSync({ cwd: root, onlyFiles: true })])
  .filter((path) => !/node_modules\/|^bpf\/out\/|\/src\/gen\/|^tests\/docs\/text\//.test(path))
  .toSorted();

test("sources name documents that are there", () => {
  const named = sources.flatMap((path) =>
    findNamedDocuments(readText(path)).map((link) => ({
      path,
      link,
      beside: join(dirname(path), link.target),
    })),
  );
  expect(named.length).toBeGreaterThan(25);
  const broken = named.filter(({ link, beside }) => isBroken(link) && isBroken({ ...link, target: beside }));
  expect(broken.map(({ path, link }) => `${path}: ${toText(link)}`)).toEqual([]);
});

describe("a reader finds every page", () => {
  const findReachable = (path: string, found = new Set<string>()): ReadonlySet<string> => {
    if (found.has(path)) return found;
    found.add(path);
    if (path.endsWith(".md"))
      for (const { target } of linksOf(path, readText(path))) findReachable(target, found);
    return found;
  };
  const reachable = findReachable("README.md");
  const files = [...new Bun.Glob("docs/**/*.{md,png,svg}").scanSync(root)];

  test("and every picture, by links from the README: docs/README.md is the index", () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files.filter((path) => !reachable.has(path))).toEqual([]);
  });
});

describe("links of a text", () => {
  test.each([
    { name: "a file", text: "see [a](b.md)", links: [{ target: "b.md" }] },
    { name: "a heading", text: "see [a](b.md#c-d)", links: [{ target: "b.md", anchor: "c-d" }] },
    { name: "a heading of the same text", text: "[a](#c)", links: [{ target: "", anchor: "c" }] },
    { name: "a link with a title", text: '[a](b.md "c")', links: [{ target: "b.md" }] },
    { name: "a picture", text: "![a](b.png)", links: [{ target: "b.png" }] },
    { name: "a reference", text: "[a]: b.md", links: [{ target: "b.md" }] },
    {
      name: "pictures in HTML",
      text: '<source srcset="a.png">\n<img src="b.png">',
      links: [{ target: "a.png" }, { target: "b.png" }],
    },
    { name: "none in code", text: "`[a](b)`\n```text\n[c](d)\n```\n", links: [] },
    { name: "none to another host", text: "[a](https://example.org/b.md#c)", links: [] },
  ])("$name", ({ text, links }) => expect(findLinks(text)).toEqual(links));
});

test("anchors are those that GitHub makes", () => {
  const text =
    "# What `a` is\n## Fail-open, or closed?\n```sh\n# not a heading\n```\n## Same\n## Same\n### [Link](x.md)\n";
  expect(findAnchors(text)).toEqual(["what-a-is", "fail-open-or-closed", "same", "same-1", "link"]);
});

test("a source names documents by their paths", () => {
  const source =
    '// see docs/hook.md#log\n" (docs/adr/0001-x.md)", https://example.org/docs/a.md, ../docs/b.md, SECURITY.md';
  expect(findNamedDocuments(source)).toEqual([
    { target: "docs/hook.md", anchor: "log" },
    { target: "docs/adr/0001-x.md" },
    { target: "SECURITY.md" },
  ]);
});
