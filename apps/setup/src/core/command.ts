// SPDX-License-Identifier: Apache-2.0
// What a command of the tool is: a name of one or two words, its flags, and what it does with them.

import { type FlagTable, type FlagValues, parseArguments, resolveFlags } from "@rthooks/flags";
import type { LogWriter } from "@rthooks/log";

/** What a command says and to whom. */
export interface Io {
  readonly version: string;
  readonly log: LogWriter;
  /** The result: what a script reads. */
  stdout(text: string): void;
  /** What is for people. */
  stderr(text: string): void;
}

export const exitCode = {
  ok: 0,
  /** It failed; nothing is half done. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** Nothing failed, and there is something to do (--check, doctor). */
  changeNeeded: 3,
} as const;

interface Invocation<T extends FlagTable> {
  readonly flags: FlagValues<T>;
  /** Those of `flags` that were on the command line. */
  readonly given: Partial<FlagValues<T>>;
  /** What stands behind the word `hook-args`, untouched. */
  readonly hookArgs: readonly string[];
}

interface Definition<T extends FlagTable> {
  /** "install", "patch-containerd-conf enable-nri" */
  readonly name: string;
  readonly summary: string;
  readonly flags: T;
  readonly takesHookArgs?: boolean;
  readonly examples?: readonly string[];
  run(invocation: Invocation<T>, io: Io): Promise<number>;
}

export interface Command extends Omit<Definition<FlagTable>, "run"> {
  /** `argv` begins behind the command's name. */
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
        ? parsed.value.positionals.map((word) => `unexpected argument ${JSON.stringify(word)}`)[0]
        : parsed.error.message;
      if (!parsed.ok || problem !== undefined) {
        io.stderr(
          `tetragon-oci-hook-setup: ${name}: ${problem}; see tetragon-oci-hook-setup ${name} --help\n`,
        );
        return exitCode.usage;
      }
      const { given } = parsed.value;
      const hookArgs = at === -1 ? [] : argv.slice(at + 1);
      return definition.run({ flags: resolveFlags(flags, given), given, hookArgs }, io);
    },
  };
}
