// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { load, loadAll } from "js-yaml";
import { outputFlag, renderDocument, renderStreamed, toOutputFormat } from "./output.ts";

const value = {
  name: "web-0",
  number: 5,
  empty: "",
  words: ["no", "0x10", "2026-01-01", "a: b", "- c", " d ", "1e3", "~"],
  lines: "first\nsecond \u009b31m\n",
  hostile: "\u001b[2J \u202e \u{e0041} \ud800 \u2028 \u0085 日本 🚀",
  long: "word ".repeat(100),
  "key \u202e": { nested: [] },
};

/** What a terminal may obey, or not show. */
const invisible = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/u;

describe.each(["json", "yaml"] as const)("%s", (format) => {
  const read = format === "json" ? JSON.parse : load;

  test("has the value, and nothing that a terminal obeys", () => {
    const text = renderDocument(format, value);
    expect(read(text)).toEqual(value);
    expect(text).not.toMatch(invisible);
    expect(text).toContain("日本 🚀");
    expect(text).toEndWith("\n");
  });
});

test("a stream of JSON has one object a line", () => {
  const text = renderStreamed("json", value) + renderStreamed("json", { a: 1 });
  const lines = text.split("\n");
  expect(lines).toHaveLength(3);
  expect(lines.slice(0, 2).map((line) => JSON.parse(line))).toEqual([value, { a: 1 }]);
});

test("a stream of YAML has one document for each value", () => {
  const text = renderStreamed("yaml", value) + renderStreamed("yaml", { a: 1 });
  expect(text).toStartWith("---\n");
  expect(loadAll(text)).toEqual([value, { a: 1 }]);
});

test("a command's own form is its default, and has two names", () => {
  expect(outputFlag("text")).toMatchObject({
    default: "text",
    choices: ["text", "json", "yaml"],
    synonyms: ["table"],
    short: "o",
  });
  expect(outputFlag("table")).toMatchObject({ choices: ["table", "json", "yaml"], synonyms: ["text"] });
  expect(["text", "table", "json", "yaml"].map(toOutputFormat)).toEqual(["table", "table", "json", "yaml"]);
});
