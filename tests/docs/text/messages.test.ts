// SPDX-License-Identifier: Apache-2.0
// Messages that the documents explain are messages of a program.
import { expect, test } from "bun:test";
import { findCode, readText, root } from "./documents.ts";

/** Texts of the sources, with those in two parts joined. */
const sources = [...new Bun.Glob("{apps,libs}/*/src/**/*.ts").scanSync(root)]
  .filter((path) => !/\.(?:test|fixture)\.ts$|\/gen\//.test(path))
  .map(readText)
  .join("\n")
  .replace(/["'`]\s*\+\s*["'`]/g, "")
  .replaceAll('\\"', '"');

/** Of other programs: the runtimes, the kernel and grpc. */
const foreign = ["failing container", "rpc error: code = DeadlineExceeded", "fork/exec"];

/** The first cells of the rows of tables about messages. */
const findMessages = (document: string): readonly string[] => {
  const text = readText(document);
  const tables = text.split(/^\| (?:what you see|level) .*$/m).slice(1);
  return tables
    .map((rest) => rest.slice(0, rest.indexOf("\n\n") === -1 ? undefined : rest.indexOf("\n\n")))
    .flatMap((rows) => [...rows.matchAll(/^\| (?:INFO +\| |WARN +\| |ERROR +\| )?(.*?) \| /gm)])
    .flatMap(([, cell = ""]) => findCode(cell));
};

/** "…" stands for what a message says of its case. */
const findParts = (message: string): readonly string[] =>
  message.split("…").flatMap((part) => (part.trim().length < 4 ? [] : [part.trim()]));

const isSaid = (part: string): boolean =>
  sources.includes(part) || foreign.some((text) => text.startsWith(part) || part.startsWith(text));

test.each(["docs/hook.md", "docs/nri-plugin.md", "docs/troubleshooting.md"])("messages of %s", (document) => {
  const messages = findMessages(document);
  expect(messages.length).toBeGreaterThan(5);
  expect(messages.flatMap(findParts).filter((part) => !isSaid(part))).toEqual([]);
});
