// SPDX-License-Identifier: Apache-2.0
// A command of the tool: a name of one or two words, its flags, and its effect.

import { type FlagTable, type FlagValues, parseArguments, resolveFlags } from "@rthooks/flags";
import type { CommandHelp } from "@rthooks/flags/help";
import type { LogWriter } from "@rthooks/log";

/** The output of a command. */
export interface Io {
  readonly version: string;
  readonly log: LogWriter;
  /** The result, for scripts. */
  stdout(text: string): void;
  /** Usage errors and excerpts, for people. */
  stderr(text: string): void;
}

export const exitCode = {
  ok: 0,
  /** Failure; no change is half done. */
  failed: 1,
  /** Wrong command line. */
  usage: 2,
  /** A change is needed (--check), or a check failed (doctor). */
  changeNeeded: 3,
} as const;

interface Invocation<T extends FlagTable> {
  readonly flags: FlagValues<T>;
  /** The flags on the command line, without defaults. */
  readonly given: Partial<FlagValues<T>>;
  /** The words after `hook-args`, unparsed. */
  readonly hookArgs: readonly string[];
  /** The words that are not flags. */
  readonly words: readonly string[];
}

interface Definition<T extends FlagTable> {
  /** "install", "patch-containerd-conf enable-nri" */
  readonly name: string;
  readonly summary: string;
  readonly flags: T;
  readonly takesHookArgs?: boolean;
  /** What help shows for the words of its command line, which the command examines; without it there may be none. */
  readonly words?: string;
  readonly exitCodes?: CommandHelp["exitCodes"];
  readonly examples?: readonly string[];
  run(invocation: Invocation<T>, io: Io): Promise<number>;
}

export interface Command extends Omit<Definition<FlagTable>, "run"> {
  /** `argv` begins after the command's name; returns the exit code. */
  run(argv: readonly string[], io: Io): Promise<number>;
}

const HOOK_ARGS = "hook-args";

export function defineCommand<T extends FlagTable>(definition: Definition<T>): Command {
  const { name, flags, takesHookArgs = false } = definition;
  return {
    ...definition,
    async run(argv, io) {
      const at = takesHookArgs ? argv.indexOf(HOOK_ARGS) : -1;
      const own = at === -1 ? argv : argv.slice(0, at);
      const parsed = parseArguments(flags, own);
      const problem = parsed.ok
        ? (definition.words === undefined ? parsed.value.positionals : []).map(
            (word) => `unexpected argument ${JSON.stringify(word)}`,
          )[0]
        : parsed.error.message;
      if (!parsed.ok || problem !== undefined) {
        io.stderr(
          `tetragon-oci-hook-setup: ${name}: ${problem}; see tetragon-oci-hook-setup ${name} --help\n`,
        );
        return exitCode.usage;
      }
      const { given, positionals: words } = parsed.value;
      const hookArgs = at === -1 ? [] : argv.slice(at + 1);
      return definition.run({ flags: resolveFlags(flags, given), given, hookArgs, words }, io);
    },
  };
}
