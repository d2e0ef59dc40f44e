// SPDX-License-Identifier: Apache-2.0

/** The value of `--flag value` or `--flag=value` in a command line; the last one counts. Undefined if it is not set. */
export function findFlag(words: readonly string[], flag: string): string | undefined {
  const at = words.findLastIndex((word) => word === flag || word.startsWith(`${flag}=`));
  const word = words[at];
  if (word === undefined) return undefined;
  return word === flag ? words[at + 1] : word.slice(flag.length + 1);
}
