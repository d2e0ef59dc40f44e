// SPDX-License-Identifier: Apache-2.0

import { PROGRAM } from "./commands-help.ts";
import { toFileName } from "./hook-command.ts";

/** A loader and its library path may stand before the program. */
const MAX_WORDS_BEFORE = 3;

/** Whether a command line is that of a program that adds the hook by NRI. */
export function isNriPlugin(words: readonly string[]): boolean {
  const names = words.slice(0, MAX_WORDS_BEFORE + 1).map(toFileName);
  // A plugin that the runtime launches is called NN-name.
  if (names.some((name) => /^(?:tetragon-nri-hook|\d\d-tetragon\S*)$/.test(name))) return true;
  if (!names.includes(PROGRAM)) return false;
  return words.includes("install") && words.some((word) => /^(?:--interface=)?nri-hook$/.test(word));
}
