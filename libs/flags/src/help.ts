// SPDX-License-Identifier: Apache-2.0
// What --help prints. Apart from the parser, so that a program that is not asked does not load it.

import { formatDuration } from "./duration.ts";
import type { Flag, FlagTable } from "./flag.ts";

export { isCompletable, renderCompletion } from "./completion.ts";

/** One program, or one command of it. */
export interface CommandHelp {
  /** As it is typed: "tetragon status". */
  readonly program: string;
  readonly summary: string;
  readonly usage: readonly string[];
  readonly commands?: readonly { readonly name: string; readonly summary: string }[];
  readonly flags: FlagTable;
  readonly exitCodes?: readonly { readonly code: number; readonly meaning: string }[];
  readonly examples?: readonly string[];
}

const WIDTH = 100;

export function renderHelp(help: CommandHelp): string {
  const sections = [wrap(help.summary, 0).join("\n"), section("Usage", help.usage)];
  if (help.commands !== undefined) {
    sections.push(section("Commands", columns(help.commands.map(({ name, summary }) => [name, summary]))));
  }
  const flags = Object.entries(help.flags).map(([name, flag]): [string, string] => [
    `${flag.short === undefined ? "    " : `-${flag.short}, `}--${name}${nameValue(flag)}`,
    `${flag.usage}${choices(flag)}${defaultOf(flag)}`,
  ]);
  sections.push(section("Flags", columns(flags)));
  if (help.exitCodes !== undefined) {
    const codes = help.exitCodes.map(({ code, meaning }): [string, string] => [String(code), meaning]);
    sections.push(section("Exit codes", columns(codes)));
  }
  if (help.examples !== undefined) sections.push(section("Examples", help.examples));
  return `${sections.join("\n\n")}\n`;
}

const section = (title: string, lines: readonly string[]): string =>
  `${title}:\n${lines.map((line) => `  ${line}`.trimEnd()).join("\n")}`;

/** The right column begins below the left one's entry where that is long. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length))) + 2;
  return rows.flatMap(([left, right]) => {
    const [first = "", ...rest] = wrap(right, width + 2);
    const indented = rest.map((line) => " ".repeat(width) + line);
    return left.length + 2 > width
      ? [left, " ".repeat(width) + first, ...indented]
      : [left.padEnd(width) + first, ...indented];
  });
}

function wrap(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** What stands behind the name of a flag: " FILE", or nothing for a switch. */
export function nameValue(flag: Flag): string {
  if (flag.kind === "boolean") return "";
  if (flag.placeholder !== undefined) return ` ${flag.placeholder}`;
  return flag.kind === "duration" ? " DURATION" : flag.kind === "string" ? " TEXT" : " LIST";
}

/** Empty where the flag takes any text. */
const choices = (flag: Flag): string =>
  flag.kind === "string" && flag.choices !== undefined ? `: ${flag.choices.join(", ")}` : "";

function defaultOf(flag: Flag): string {
  const text = renderDefault(flag);
  return text === "" ? "" : ` (default: ${text})`;
}

/** As it would be typed; empty for a flag without one. */
export function renderDefault(flag: Flag): string {
  switch (flag.kind) {
    case "string":
      return flag.default;
    case "duration":
      return formatDuration(flag.default);
    case "boolean":
      return flag.default ? "true" : "";
    case "list":
    case "patterns":
      return flag.default.join(",");
  }
}
