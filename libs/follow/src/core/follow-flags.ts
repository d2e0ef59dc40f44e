// SPDX-License-Identifier: Apache-2.0
// The command line of `follow FILE`, which several programs have.

import { flag } from "@rthooks/flags";
import { err, ok, type Result } from "@rthooks/result";

export const followFlags = {
  lines: flag.string({
    usage: "how many of the last lines of a file that exists already are printed first",
    default: "10",
    placeholder: "NUMBER",
  }),
} as const; // const: the flag keeps its own kind

/** For a list of commands. */
export const followSummary =
  "print the lines that are appended to a file, also when it does not exist yet, is renamed, replaced or emptied (as `tail -F`)";

/** `usageCode`: the program's exit code for a wrong command line. */
export const toFollowExitCodes = (usageCode: number) => [
  { code: 0, meaning: "ended by SIGINT or SIGTERM" },
  { code: usageCode, meaning: "the command line is wrong" },
  { code: 141, meaning: "the reader of its output has ended" },
];

export interface FollowRequest {
  readonly path: string;
  readonly lines: number;
}

export function parseFollowRequest(
  words: readonly string[],
  flags: { readonly lines: string },
): Result<FollowRequest, string> {
  const [path, stray] = words;
  if (path === undefined || path === "") return err("name a file");
  if (stray !== undefined) return err(`unexpected argument ${JSON.stringify(stray)}`);
  if (!/^\d{1,6}$/.test(flags.lines)) {
    return err(`--lines is not a number from 0 to 999999: ${JSON.stringify(flags.lines)}`);
  }
  return ok({ path, lines: Number(flags.lines) });
}
