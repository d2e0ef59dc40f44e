// SPDX-License-Identifier: Apache-2.0

import type { Command } from "./command.ts";

export interface FoundCommand {
  readonly command: Command;
  readonly argv: readonly string[];
}

/** The command whose name `argv` begins with; undefined if there is none. */
export function findCommand(commands: readonly Command[], argv: readonly string[]): FoundCommand | undefined {
  for (const command of commands) {
    const words = command.name.split(" ");
    if (words.every((word, at) => argv[at] === word)) return { command, argv: argv.slice(words.length) };
  }
  return undefined;
}

/** The commands of the group `word`; all commands for an unknown group. */
export function findCandidates(commands: readonly Command[], word: string | undefined): readonly Command[] {
  const group = commands.filter(({ name }) => word !== undefined && name.startsWith(`${word} `));
  return group.length > 0 ? group : commands;
}
