// SPDX-License-Identifier: Apache-2.0
// A program's flags as a table: names, kinds of values and defaults.

import { parseDuration } from "./duration.ts";

interface Common {
  readonly usage: string;
  /** The value's name in help, such as "FILE". Completion proposes file names for FILE and DIR. */
  readonly placeholder?: string;
  /** What completion asks the program itself for: `PROGRAM __complete NAMES PREFIX` prints one name a line. */
  readonly names?: string;
  /** One letter, without its dash. */
  readonly short?: string;
}

export interface StringFlag extends Common {
  readonly kind: "string";
  readonly default: string;
  readonly choices?: readonly string[];
  /** Other names of the choices: accepted, but not shown in help and completion. */
  readonly synonyms?: readonly string[];
}

export interface DurationFlag extends Common {
  readonly kind: "duration";
  /** Milliseconds. */
  readonly default: number;
}

export interface BooleanFlag extends Common {
  readonly kind: "boolean";
  readonly default: boolean;
}

export interface ListFlag extends Common {
  /** `patterns`: a list of regular expressions, which may contain commas. */
  readonly kind: "list" | "patterns";
  readonly default: readonly string[];
}

export type Flag = StringFlag | DurationFlag | BooleanFlag | ListFlag;

/** By name, without the dashes. */
export type FlagTable = Readonly<Record<string, Flag>>;

export type FlagValue<F extends Flag> = F extends StringFlag
  ? string
  : F extends DurationFlag
    ? number
    : F extends BooleanFlag
      ? boolean
      : readonly string[];

export type FlagValues<T extends FlagTable> = { readonly [Name in keyof T]: FlagValue<T[Name]> };

type Options<F extends Flag> = Omit<F, "kind" | "default"> & Partial<Pick<F, "default">>;

export const flag = {
  string: (options: Options<StringFlag>): StringFlag => ({ default: "", ...options, kind: "string" }),
  /** The default is a number of milliseconds, or a text such as "10s". */
  duration: (options: Common & { readonly default: string | number }): DurationFlag => {
    if (typeof options.default === "number")
      return { ...options, default: options.default, kind: "duration" };
    const parsed = parseDuration(options.default);
    if (!parsed.ok) throw new Error(parsed.error);
    return { ...options, default: parsed.value, kind: "duration" };
  },
  boolean: (options: Options<BooleanFlag>): BooleanFlag => ({ default: false, ...options, kind: "boolean" }),
  list: (options: Options<ListFlag>): ListFlag => ({ default: [], ...options, kind: "list" }),
  patternList: (options: Options<ListFlag>): ListFlag => ({ default: [], ...options, kind: "patterns" }),
} as const;
