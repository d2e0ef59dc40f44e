// SPDX-License-Identifier: Apache-2.0
import type { Flag } from "../../libs/flags/src/flag.ts";
import { type CommandHelp, nameValue, renderDefault } from "../../libs/flags/src/help.ts";
import { renderBlock, renderCode, renderTable } from "./markdown.ts";

/** What --help of a program and of its commands shows, as one page. */
export function renderProgramPage(program: CommandHelp, commands: readonly CommandHelp[]): string {
  return [renderCommand(program, 1), ...commands.map((command) => renderCommand(command, 2))].join("\n\n");
}

function renderCommand(help: CommandHelp, level: number): string {
  const heading = (text: string, below: number) => `${"#".repeat(level + below)} ${text}`;
  const parts = [heading(help.program, 0), help.summary, renderBlock("text", help.usage)];
  if (help.commands !== undefined) {
    const rows = help.commands.map(({ name, summary }) => [renderCode(name), summary]);
    parts.push(heading("Commands", 1), renderTable(["command", "what it does"], rows));
  }
  const flags = Object.entries(help.flags).map(([name, flag]) => renderFlag(name, flag));
  // A command has one heading: its tables say by their heads what they are.
  if (level === 1) parts.push(heading("Flags", 1));
  parts.push(renderTable(["flag", "default", "meaning"], flags));
  if (help.exitCodes !== undefined) {
    const rows = help.exitCodes.map(({ code, meaning }) => [String(code), meaning]);
    if (level === 1) parts.push(heading("Exit codes", 1));
    parts.push(renderTable(["exit code", "meaning"], rows));
  }
  if (help.examples !== undefined) {
    if (level === 1) parts.push(heading("Examples", 1));
    parts.push(renderBlock("sh", help.examples));
  }
  return parts.join("\n\n");
}

function renderFlag(name: string, flag: Flag): readonly string[] {
  // The usage describes a default that a program computes.
  const [, usage = flag.usage, described = ""] = /^(.*) \(default: ([^()]*)\)$/.exec(flag.usage) ?? [];
  const long = renderCode(`--${name}${nameValue(flag)}`);
  const choices = flag.kind === "string" ? (flag.choices ?? []) : [];
  return [
    flag.short === undefined ? long : `${long}, ${renderCode(`-${flag.short}`)}`,
    renderCode(renderDefault(flag)) || described,
    choices.length === 0 ? usage : `${usage}: ${choices.map(renderCode).join(", ")}`,
  ];
}
