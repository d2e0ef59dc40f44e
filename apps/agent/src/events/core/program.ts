// SPDX-License-Identifier: Apache-2.0

import type { ExecRecord } from "@rthooks/bpf";

/** What a process runs. Processes that are forked have it in common. */
export interface Program {
  /** Empty: not known. */
  readonly binary: string;
  /** Without the name of the program. */
  readonly arguments: string;
  readonly cwd: string;
  readonly auid: number | undefined;
  /** Of what is wrong with the texts; the words of Tetragon. */
  readonly flags: readonly string[];
}

export const unknownProgram: Program = {
  ...{ binary: "", arguments: "", cwd: "", auid: undefined, flags: ["unknown"] },
};

export function toProgram(record: ExecRecord): Program {
  const { path, cwd, auid } = record;
  return {
    ...{ binary: path ?? "", arguments: joinArguments((record.arguments ?? []).slice(1)), cwd: cwd ?? "" },
    auid,
    flags: [
      ...(cwd === "/" ? ["rootcwd"] : []),
      ...(cwd === undefined ? ["errorCWD"] : []),
      ...(path === undefined ? ["truncFilename"] : []),
      ...(record.arguments === undefined ? ["errorArgs"] : []),
      ...(record.areArgumentsCut ? ["truncArgs"] : []),
    ],
  };
}

/** One with a blank, and an empty one, is in quotation marks. */
export const joinArguments = (words: readonly string[]): string =>
  words.map((word) => (word === "" || word.includes(" ") ? `"${word}"` : word)).join(" ");

/** About as many as the texts need in memory. */
export const countBytes = ({ binary, arguments: words, cwd }: Program): number =>
  2 * (binary.length + words.length + cwd.length);
