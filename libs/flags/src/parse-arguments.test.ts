// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { flag } from "./flag.ts";
import { parseArguments, resolveFlags } from "./parse-arguments.ts";

const table = {
  name: flag.string({ usage: "a text", default: "x" }),
  level: flag.string({
    usage: "one of some",
    default: "info",
    choices: ["info", "debug"],
    synonyms: ["trace"],
  }),
  output: flag.string({ usage: "a short one", short: "o" }),
  timeout: flag.duration({ usage: "a time", default: "10s" }),
  quiet: flag.boolean({ usage: "a switch", short: "q" }),
  list: flag.list({ usage: "texts", default: ["d"] }),
  pattern: flag.patternList({ usage: "expressions" }),
} as const;

const parse = (...argv: string[]) => {
  const parsed = parseArguments(table, argv);
  return parsed.ok ? parsed.value : parsed.error.message;
};
const given = (...argv: string[]) => {
  const parsed = parse(...argv);
  return typeof parsed === "string" ? parsed : parsed.given;
};

describe("what is given", () => {
  test("flags stand before, between and behind the rest", () => {
    expect(parse("--name=a", "stage", "--quiet", "more", "--timeout", "5s")).toEqual({
      positionals: ["stage", "more"],
      given: { name: "a", quiet: true, timeout: 5_000 },
    });
  });

  test("behind -- everything is the rest", () => {
    expect(parse("--quiet", "--", "--name", "-o")).toEqual({
      positionals: ["--name", "-o"],
      given: { quiet: true },
    });
  });

  test.each([
    { argv: ["-o", "json"], value: { output: "json" } },
    { argv: ["-ojson"], value: { output: "json" } },
    { argv: ["-o=json"], value: { output: "json" } },
    { argv: ["--output=json"], value: { output: "json" } },
    { argv: ["--level=debug"], value: { level: "debug" } },
    { argv: ["--level=trace"], value: { level: "trace" } },
    { argv: ["--output", "-x"], value: { output: "-x" } },
    { argv: ["-q"], value: { quiet: true } },
    { argv: ["-q=false"], value: { quiet: false } },
    { argv: ["--quiet=F"], value: { quiet: false } },
    { argv: ["--name=a", "--name=b"], value: { name: "b" } },
    { argv: ["--name="], value: { name: "" } },
    { argv: ["--name=a=b"], value: { name: "a=b" } },
    { argv: ["--list=a,b", "--list=c"], value: { list: ["a", "b", "c"] } },
    { argv: ["--list= a , b ,"], value: { list: ["a", "b"] } },
    { argv: ["--list=a\\,b,c"], value: { list: ["a,b", "c"] } },
    { argv: ["--list=a", "--list="], value: { list: [] } },
    { argv: ["--pattern=^d{1,3}efault$,b"], value: { pattern: ["^d{1,3}efault$", "b"] } },
    { argv: ["--pattern=[a,(]x,(b|c,d),e\\,f"], value: { pattern: ["[a,(]x", "(b|c,d)", "e\\,f"] } },
  ])("$argv", ({ argv, value }) => {
    expect(given(...argv)).toEqual(value);
  });
});

describe("what is refused, in one line that helps", () => {
  test.each([
    { argv: ["--nope"], says: "unknown flag --nope" },
    { argv: ["--time-out=1s"], says: "unknown flag --time-out: did you mean --timeout?" },
    { argv: ["--lists", "a"], says: "did you mean --list?" },
    { argv: ["-x"], says: "unknown flag -x" },
    { argv: ["-qo"], says: "unknown flag -qo" },
    { argv: ["--__proto__=x"], says: "unknown flag --__proto__" },
    { argv: ["--constructor"], says: "unknown flag --constructor" },
    { argv: ["--a\n\u009b1m"], says: "unknown flag --a\\x0a\\x9b1m" },
    { argv: ["--name"], says: "--name needs a value" },
    { argv: ["--timeout=10"], says: '--timeout: "10" is not a duration' },
    { argv: ["--quiet=maybe"], says: '--quiet: "maybe" is neither true nor false' },
    { argv: ["--level=loud"], says: '--level: "loud" is not one of info, debug' },
  ])("$argv", ({ argv, says }) => {
    const message = given(...argv);
    expect(message).toContain(says);
    expect(String(message).split("\n")).toHaveLength(1);
  });
});

test("a complaint comes with what the rest of the line gives", () => {
  const parsed = parseArguments(table, ["--nope", "--name=a", "--timeout=x", "--quiet"]);
  expect(parsed.ok ? undefined : parsed.error).toMatchObject({
    flag: "--nope",
    given: { name: "a", quiet: true },
  });
});

test("a later layer beats an earlier one, and any beats the defaults", () => {
  expect(resolveFlags(table, { name: "file", level: "debug" }, { name: "line" })).toEqual({
    name: "line",
    level: "debug",
    output: "",
    timeout: 10_000,
    quiet: false,
    list: ["d"],
    pattern: [],
  });
});
