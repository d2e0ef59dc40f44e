// SPDX-License-Identifier: Apache-2.0
// What holds for any command line, list and duration.
import { expect, test } from "bun:test";
import {
  flag,
  formatDuration,
  parseArguments,
  parseDuration,
  parseFlagValue,
  resolveFlags,
} from "@rthooks/flags";
import fc from "fast-check";

const table = {
  name: flag.string({ usage: "a text" }),
  level: flag.string({ usage: "one of two", default: "info", choices: ["info", "warn"] }),
  output: flag.string({ usage: "a short one", short: "o" }),
  timeout: flag.duration({ usage: "a time", default: "10s" }),
  quiet: flag.boolean({ usage: "a switch", short: "q" }),
  list: flag.list({ usage: "texts" }),
  pattern: flag.patternList({ usage: "expressions" }),
} as const; // const: each flag keeps its own kind

const runs = { numRuns: 2_000 };
const names = Object.keys(table);

const flagLike = fc
  .tuple(
    fc.constantFrom("--", "-", ""),
    fc.oneof(fc.constantFrom(...names, "o", "q", "__proto__", "constructor", "toString"), fc.string()),
    fc.constantFrom("", "="),
    fc.oneof(fc.string(), fc.constantFrom("1s", "true", "a,b", "[,](", "\\")),
  )
  .map((parts) => parts.join(""));
const argument = fc.oneof(flagLike, fc.string({ unit: "binary" }), fc.constantFrom("--", "-", "--=", "-="));

test("any command line is parsed or refused in one line, and yields only flags of the table", () => {
  fc.assert(
    fc.property(fc.array(argument, { maxLength: 8 }), (argv) => {
      const parsed = parseArguments(table, argv);
      if (parsed.ok) {
        for (const name of Object.keys(parsed.value.given)) expect(names).toContain(name);
        expect(Object.keys(resolveFlags(table, parsed.value.given)).toSorted()).toEqual(names.toSorted());
      } else expect(parsed.error.message).toMatch(/^[^\p{Cc}]+$/u);
    }),
    runs,
  );
});

test("what is not written as a flag comes back as it was, in its order", () => {
  const plain = fc.string().filter((text) => !text.startsWith("-"));
  fc.assert(
    fc.property(fc.array(plain), fc.array(fc.string()), (before, behind) => {
      const parsed = parseArguments(table, [...before, "--quiet", "--", ...behind]);
      expect(parsed).toEqual({
        ok: true,
        value: { positionals: [...before, ...behind], given: { quiet: true } },
      });
    }),
    runs,
  );
});

test("any text is the value of a text flag, in both spellings", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      for (const argv of [[`--name=${text}`], ["--name", text], ["-o", text]]) {
        const parsed = parseArguments(table, argv);
        expect(parsed.ok && (parsed.value.given.name ?? parsed.value.given.output)).toBe(text);
      }
    }),
    runs,
  );
});

test("a list comes back from its elements with commas escaped", () => {
  const element = fc.string().filter((text) => text !== "" && text.trim() === text && !text.includes("\\"));
  fc.assert(
    fc.property(fc.array(element), (elements) => {
      const text = elements.map((each) => each.replaceAll(",", "\\,")).join(",");
      expect(parseFlagValue(table.list, text)).toEqual({ ok: true, value: elements });
    }),
    runs,
  );
});

test("a list in one flag and the same list in repeated flags are equal", () => {
  const element = fc.stringMatching(/^[a-z0-9.-]{1,8}$/);
  fc.assert(
    fc.property(fc.array(element, { minLength: 1 }), (elements) => {
      const together = parseArguments(table, [`--list=${elements.join(",")}`]);
      expect(
        parseArguments(
          table,
          elements.map((each) => `--list=${each}`),
        ),
      ).toEqual(together);
    }),
    runs,
  );
});

test("expressions come back whole whatever commas stand in their brackets", () => {
  const piece = fc.constantFrom(
    "a",
    "^",
    "$",
    "x{1,3}",
    "[a,({]",
    "(b|c,d)",
    "\\,",
    "\\(",
    "\\[",
    "(,[,)],)",
  );
  const pattern = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(fc.array(pattern), (patterns) => {
      expect(parseFlagValue(table.pattern, patterns.join(","))).toEqual({ ok: true, value: patterns });
    }),
    runs,
  );
});

test("a duration comes back from what is written for it", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 52 }), (microseconds) => {
      const ms = microseconds / 1_000;
      const parsed = parseDuration(formatDuration(ms));
      expect(parsed.ok ? Math.abs(parsed.value - ms) : parsed.error).toBeLessThanOrEqual(ms * 1e-12 + 1e-6);
    }),
    runs,
  );
});

test("any text is a duration of no less than nothing, or is refused", () => {
  const term = fc.constantFrom(
    "1",
    "0",
    ".5",
    "ms",
    "s",
    "m",
    "h",
    "µs",
    "ns",
    "-",
    "+",
    " ",
    "e3",
    "x",
    "99999",
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(term, { maxLength: 6 }).map((terms) => terms.join("")),
  );
  fc.assert(
    fc.property(text, (written) => {
      const parsed = parseDuration(written);
      if (parsed.ok) expect(parsed.value).toBeGreaterThanOrEqual(0);
      else expect(parsed.error).toContain("is not a duration");
    }),
    runs,
  );
});
