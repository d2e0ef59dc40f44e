// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { flag } from "./flag.ts";
import { renderHelp } from "./help.ts";

const text = renderHelp({
  program: "tool",
  summary:
    "A tool that does what it is told, at some length, so that this sentence has to go on to a second line.",
  usage: ["tool [flags]"],
  commands: [{ name: "status", summary: "show it" }],
  examples: ["tool status"],
  exitCodes: [{ code: 0, meaning: "it is shown" }],
  flags: {
    "log-level": flag.string({ usage: "what is logged", default: "info", choices: ["info", "warn"] }),
    "a-flag-with-a-rather-long-name-indeed": flag.list({ usage: "some texts", default: ["a", "b"] }),
    timeout: flag.duration({ usage: "a time", default: "90s" }),
    output: flag.string({ usage: `a usage ${"that goes on ".repeat(8)}`, short: "o", placeholder: "FILE" }),
    quiet: flag.boolean({ usage: "a switch", default: true }),
  },
});

test("no line is wider than 100 columns or ends in a space", () => {
  const lines = text.split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
  expect(lines.filter((line) => line.endsWith(" "))).toEqual([]);
});

test.each([
  { name: "choices and default", says: /--log-level TEXT {2,}what is logged: info, warn \(default: info\)/ },
  { name: "a default as it would be typed", says: /--timeout DURATION {2,}a time \(default: 1m30s\)/ },
  { name: "a long name has its text below", says: /indeed LIST\n {8,}some texts \(default: a,b\)/ },
  { name: "a short name in front", says: /^ {2}-o, --output FILE {2,}a usage/m },
  { name: "a switch takes nothing", says: /--quiet {2,}a switch \(default: true\)/ },
  { name: "commands", says: /Commands:\n {2}status {2}show it/ },
  { name: "exit codes", says: /Exit codes:\n {2}0 {2}it is shown/ },
  { name: "examples", says: /Examples:\n {2}tool status\n$/ },
])("$name", ({ says }) => expect(text).toMatch(says));
