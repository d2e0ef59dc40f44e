// SPDX-License-Identifier: Apache-2.0
// Parses command lines like pflag, which Tetragon's programs use: flags at any position, `--name=value` and `--name value`,
// and list flags that accumulate when repeated.

import { err, ok, type Result } from "@rthooks/result";
import { parseDuration } from "./duration.ts";
import type { Flag, FlagTable, FlagValue, FlagValues } from "./flag.ts";
import { splitList, splitPatterns } from "./split-list.ts";

export interface ParsedArguments<T extends FlagTable> {
  readonly positionals: readonly string[];
  /** The values of the command line, without defaults. */
  readonly given: Partial<FlagValues<T>>;
}

export interface ArgumentError {
  readonly kind: "unknown-flag" | "missing-value" | "bad-value";
  /** As on the command line. */
  readonly flag: string;
  /** One line. */
  readonly message: string;
}

/** The first error, and the valid flags of the whole line: they may say where to log the error. */
export interface ArgumentFailure<T extends FlagTable> extends ArgumentError {
  readonly given: Partial<FlagValues<T>>;
}

export function parseArguments<T extends FlagTable>(
  table: T,
  argv: readonly string[],
): Result<ParsedArguments<T>, ArgumentFailure<T>> {
  const positionals: string[] = [];
  // Only names of the table become keys, so that names of Object.prototype cannot.
  const given: Record<string, unknown> = {};
  let failure: ArgumentError | undefined;
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at] ?? "";
    if (argument === "--") {
      positionals.push(...argv.slice(at + 1));
      break;
    }
    if (!argument.startsWith("-") || argument === "-") {
      positionals.push(argument);
      continue;
    }
    const written = argument.startsWith("--") ? readLong(argument) : readShort(table, argument);
    const found = Object.hasOwn(table, written.name) ? table[written.name] : undefined;
    if (found === undefined) {
      failure ??= unknownFlag(table, written);
      continue;
    }
    let text = written.value;
    if (text === undefined) {
      if (found.kind === "boolean") text = "true";
      else {
        at++;
        text = argv[at];
        if (text === undefined) {
          failure ??= problem("missing-value", written.flag, `${written.flag} needs a value`);
          break;
        }
      }
    }
    const value = parseFlagValue(found, text);
    if (value.ok) given[written.name] = grow(found, given[written.name], value.value, text);
    else failure ??= problem("bad-value", written.flag, `${written.flag}: ${value.error}`);
  }
  // The cast is safe: the flag's own parser returned each value.
  const values = given as Partial<FlagValues<T>>;
  return failure === undefined ? ok({ positionals, given: values }) : err({ ...failure, given: values });
}

/** Parses one value. The error says which values are allowed. */
export function parseFlagValue<F extends Flag>(flag: F, text: string): Result<FlagValue<F>, string>;
export function parseFlagValue(
  flag: Flag,
  text: string,
): Result<string | number | boolean | readonly string[], string> {
  switch (flag.kind) {
    case "string":
      return flag.choices === undefined ||
        flag.choices.includes(text) ||
        flag.synonyms?.includes(text) === true
        ? ok(text)
        : err(`${JSON.stringify(text)} is not one of ${flag.choices.join(", ")}`);
    case "duration":
      return parseDuration(text);
    case "boolean":
      if (["true", "TRUE", "True", "t", "T", "1"].includes(text)) return ok(true);
      if (["false", "FALSE", "False", "f", "F", "0"].includes(text)) return ok(false);
      return err(`${JSON.stringify(text)} is neither true nor false`);
    case "list":
      return ok(splitList(text));
    case "patterns":
      return ok(splitPatterns(text));
  }
}

/** Merges defaults and layers: a later layer takes precedence over an earlier one, and any layer over the defaults. */
export function resolveFlags<T extends FlagTable>(
  table: T,
  ...layers: readonly Partial<FlagValues<T>>[]
): FlagValues<T> {
  // A loop, since the first use of map() and of fromEntries() costs 0.1 ms each at the start of the hook.
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(table)) values[name] = table[name]?.default;
  // The cast is safe: every name of the table has a value of its kind.
  return Object.assign(values, ...layers) as FlagValues<T>;
}

interface Written {
  readonly flag: string;
  readonly name: string;
  readonly value: string | undefined;
}

function readLong(argument: string): Written {
  const equals = argument.indexOf("=");
  const flag = equals === -1 ? argument : argument.slice(0, equals);
  return { flag, name: flag.slice(2), value: equals === -1 ? undefined : argument.slice(equals + 1) };
}

/** `-o value`, `-ovalue`, `-o=value`; a boolean accepts a value only after an equals sign. */
function readShort(table: FlagTable, argument: string): Written {
  const letter = argument.charAt(1);
  const [name = letter] = Object.entries(table).find(([, { short }]) => short === letter) ?? [];
  const rest = argument.slice(2);
  const isBoolean = Object.hasOwn(table, name) && table[name]?.kind === "boolean";
  if (isBoolean && rest !== "" && !rest.startsWith("="))
    return { flag: argument, name: argument, value: undefined };
  return { flag: `-${letter}`, name, value: rest === "" ? undefined : rest.replace(/^=/, "") };
}

/** A repeated list flag adds to the list, and an empty value clears it. Of repeated scalars the last one counts. */
function grow(flag: Flag, before: unknown, value: unknown, text: string): unknown {
  const isList = flag.kind === "list" || flag.kind === "patterns";
  return isList && text !== "" && Array.isArray(before) && Array.isArray(value)
    ? [...before, ...value]
    : value;
}

function unknownFlag(table: FlagTable, { flag, name }: Written): ArgumentError {
  const near = findNearFlag(table, name);
  const hint = near === undefined ? "" : `: did you mean --${near}?`;
  return problem("unknown-flag", flag, `unknown flag ${flag}${hint}`);
}

/** The flag that may be meant by a name that is none. */
export const findNearFlag = (table: FlagTable, name: string): string | undefined =>
  Object.keys(table).find((known) => isNear(known, name));

/** Whether the names differ only in underscores, case, or one inserted, deleted or replaced letter. */
function isNear(known: string, name: string): boolean {
  const plain = name.replaceAll("_", "-").toLowerCase();
  if (Math.abs(known.length - plain.length) > 1) return false;
  let at = 0;
  while (at < plain.length && known[at] === plain[at]) at++;
  const rests = [known.slice(at), known.slice(at + 1)];
  return rests.includes(plain.slice(at)) || rests.includes(plain.slice(at + 1));
}

const problem = (kind: ArgumentError["kind"], flag: string, message: string): ArgumentError => ({
  kind,
  flag,
  // Escapes control characters, since the text comes from outside and may be printed to a terminal.
  message: message.replace(
    /\p{Cc}/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  ),
});
