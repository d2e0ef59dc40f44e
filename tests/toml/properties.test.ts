// SPDX-License-Identifier: Apache-2.0
// For any document: what comes out is valid, means what was wanted and nothing else, and is the old text but for that.
import { expect, test } from "bun:test";
import { editToml, type TomlEdit } from "@rthooks/toml";
import { diffChars } from "diff";
import fc from "fast-check";
import type { TomlTable } from "smol-toml";
import { parseTOML } from "toml-eslint-parser";
import { createRandom } from "../harness/random.ts";
import { applyToValues, describeValue, findValue, readValues } from "./model.ts";
import { valuesAsWritten, writeToml } from "./random-toml.ts";

const nri = ["plugins", "io.containerd.nri.v1.nri"];
const disabled = "disabled_plugins";

const edits: readonly TomlEdit[] = [
  {
    kind: "set",
    table: nri,
    entries: [
      ["disable", false],
      ["socket_path", "/run/nri.sock"],
    ],
  },
  { kind: "set", table: ["a", "b"], entries: [["c", 'a "text" with \\']] },
  { kind: "set", table: [], entries: [["version", true]] },
  { kind: "remove", table: ["a", "b"], key: "c" },
  { kind: "add", table: ["a", "b"], key: "c", texts: ["x", "new", "newer"] },
  { kind: "add", table: [], key: disabled, texts: ["new"] },
  { kind: "drop", table: ["a", "b"], key: "c", text: "x" },
  { kind: "drop", table: [], key: disabled, text: "io.containerd.nri.v1.nri" },
];
const wanted = [[...nri, "disable"], ["a", "b", "c"], [disabled]];

/** A counterexample is the seed of its document; what it shows is in the error. */
const runs = (numRuns: number) => ({ numRuns, includeErrorInReport: true });

const seeds = fc.noShrink(fc.integer());
const write = (seed: number): string => writeToml(createRandom(seed), wanted);

/** What cannot be told from values alone: a list may have comments, and a table may be one by its last key only. */
function mayBeRefused(values: TomlTable, edit: TomlEdit): boolean {
  if (edit.kind === "set") return findReplaced(values, edit).some(Array.isArray);
  if (edit.kind !== "remove") return false;
  const value = findValue(values, [...edit.table, edit.key]);
  const isOnlyKey = Object.keys(Object(findValue(values, edit.table))).length === 1;
  return isOnlyKey || (typeof value === "object" && value !== null);
}

const findReplaced = (values: TomlTable, edit: Extract<TomlEdit, { kind: "set" }>): readonly unknown[] =>
  edit.entries.map(([key]) => findValue(values, [...edit.table, key])).filter((value) => value !== undefined);

test("one change", () => {
  fc.assert(
    fc.property(seeds, fc.constantFrom(...edits), (seed, edit) => {
      const text = write(seed);
      const before = readValues(text);
      const expected = readValues(text);
      const isPossible = applyToValues(expected, edit);
      const edited = editToml(text, [edit]);
      if (!edited.ok) {
        const isExpected = !isPossible || mayBeRefused(before, edit);
        expect({ text, edited, isExpected }).toEqual({ text, edited, isExpected: true });
        return;
      }
      // Leaving a place alone that has something else is no change.
      const isRight = isPossible || (edit.kind === "drop" && edited.value === text);
      expect({ text, isRight }).toEqual({ text, isRight: true });
      expect(describeValue(readValues(edited.value))).toBe(describeValue(expected));
      expectKept(text, edited.value, edit, before);
      expect(editToml(edited.value, [edit])).toEqual(edited);
    }),
    runs(10_000),
  );
}, 120_000);

test("many changes at once are the same as one after the other", () => {
  const some = fc.uniqueArray(fc.constantFrom(...edits), {
    minLength: 2,
    maxLength: 4,
    selector: ({ table }) => table.join("."),
  });
  fc.assert(
    fc.property(seeds, some, (seed, wantedEdits) => {
      const text = write(seed);
      const together = editToml(text, wantedEdits);
      let alone: ReturnType<typeof editToml> = { ok: true, value: text };
      for (const edit of wantedEdits) if (alone.ok) alone = editToml(alone.value, [edit]);
      expect({ text, ok: together.ok }).toEqual({ text, ok: alone.ok });
      if (!together.ok || !alone.ok) return;
      expect(describeValue(readValues(together.value))).toBe(describeValue(readValues(alone.value)));
    }),
    runs(1_000),
  );
}, 120_000);

test("a document that is broken somewhere is told, with its place, or still means something", () => {
  const piece = fc.constantFrom(
    ..."[]{}=.,#\"'\n\r\t\\ \u0000a1\ud800".split(""),
    '"""',
    "'''",
    "\u007f",
    "[[",
  );
  fc.assert(
    fc.property(
      seeds,
      fc.double({ min: 0, max: 1, noNaN: true }),
      piece,
      fc.nat(2),
      (seed, share, put, cut) => {
        const whole = write(seed);
        const at = Math.floor(share * whole.length);
        const text = whole.slice(0, at) + put + whole.slice(at + cut);
        for (const edit of edits.slice(0, 4)) {
          const edited = editToml(text, [edit]);
          if (edited.ok) expect(describeValue(readValues(edited.value))).toBeString();
          else {
            const { line, column, excerpt } = edited.error;
            const lines = text.replace(/^\ufeff/, "").split("\n");
            expect(line).toBeWithin(1, lines.length + 1);
            expect(column).toBeWithin(1, (lines[line - 1] ?? "").length + 2);
            expect(excerpt.split("\n")).toHaveLength(2);
            expect(excerpt.replace("\n", "")).not.toMatch(/[\p{Cc}]/u);
          }
        }
      },
    ),
    runs(2_000),
  );
}, 120_000);

/** Every comment, blank, quote and line ending: what is gone is the changed value, and what came is in the style. */
function expectKept(before: string, after: string, edit: TomlEdit, values: TomlTable): void {
  const parts = diffChars(before, after);
  const gone = parts.flatMap(({ removed, value }) => (removed ? [value] : [])).join("");
  const came = parts.flatMap(({ added, value }) => (added ? [value] : [])).join("");
  const say = (what: object) => ({ before, after, gone, came, ...what });
  switch (edit.kind) {
    case "add":
      expect(say({})).toEqual(say({ gone: "" }));
      break;
    case "set": {
      const replaced = findReplaced(values, edit);
      if (replaced.length === 0) expect(say({})).toEqual(say({ gone: "" }));
      else if (edit.entries.length === 1 && !Array.isArray(replaced[0])) {
        const middle = findMiddle(before, after).replaceAll(/\r?\n/g, "\n");
        expect(say({ middle, isValue: valuesAsWritten.some((value) => value.includes(middle)) })).toEqual(
          say({ middle, isValue: true }),
        );
      }
      break;
    }
    case "drop": {
      const rest = gone.replaceAll(/[\s,]/g, "").replaceAll(edit.text, "");
      expect(say({ rest })).toEqual(say({ rest: expect.stringMatching(/^["']*$/), came: "" }));
      break;
    }
    case "remove":
      expect(say({})).toEqual(say({ came: "" }));
  }
  expect(say({ comments: findComments(after) })).toEqual(say({ comments: findComments(before) }));
  if (!before.includes("\r")) expect(after).not.toInclude("\r");
  if (before.includes("\n") && !/(^|[^\r])\n/.test(before)) expect(after).not.toMatch(/(^|[^\r])\n/);
}

/** What stands between what both texts begin and end with. */
function findMiddle(before: string, after: string): string {
  let start = 0;
  while (start < before.length && before[start] === after[start]) start++;
  let end = before.length;
  let other = after.length;
  while (end > start && other > start && before[end - 1] === after[other - 1]) {
    end--;
    other--;
  }
  return before.slice(start, end);
}

const findComments = (text: string): readonly string[] =>
  parseTOML(text.replace(/^\ufeff/, ""), { tomlVersion: "1.0" }).comments.map(({ value }) => value);
