// SPDX-License-Identifier: Apache-2.0
// Command lines as pflag reads them, which Tetragon's programs use: flags anywhere, `--name=value` and
// `--name value`, lists that grow when they are repeated.

import { err, ok, type Result } from "@rthooks/result";
import { parseDuration } from "./duration.ts";
import type { Flag, FlagTable, FlagValue, FlagValues } from "./flag.ts";
import { splitList, splitPatterns } from "./split-list.ts";

export interface ParsedArguments<T extends FlagTable> {
  readonly positionals: readonly string[];
  /** Only what was on the command line. */
  readonly given: Partial<FlagValues<T>>;
}

export interface ArgumentError {
  readonly kind: "unknown-flag" | "missing-value" | "bad-value";
  /** As it was written. */
  readonly flag: string;
  /** One line for people. */
  readonly message: string;
}

/** The first thing that is wrong, and what the rest of the line gives: where the complaint is to go, for one. */
export interface ArgumentFailure<T extends FlagTable> extends ArgumentError {
  readonly given: Partial<FlagValues<T>>;
}

export function parseArguments<T extends FlagTable>(
  table: T,
  argv: readonly string[],
): Result<ParsedArguments<T>, ArgumentFailure<T>> {
  const positionals: string[] = [];
  // Only names of the table's own come in, so that an object's own names are safe.
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
  // Each value has come through the parser of its own flag.
  const values = given as Partial<FlagValues<T>>;
  return failure === undefined ? ok({ positionals, given: values }) : err({ ...failure, given: values });
}

/** One value from its text. The error says what is allowed. */
export function parseFlagValue<F extends Flag>(flag: F, text: string): Result<FlagValue<F>, string>;
export function parseFlagValue(
  flag: Flag,
  text: string,
): Result<string | number | boolean | readonly string[], string> {
  switch (flag.kind) {
    case "string":
      return flag.choices === undefined || flag.choices.includes(text)
        ? ok(text)
        : err(`${JSON.stringify(text)} is none of ${flag.choices.join(", ")}`);
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

/** The values that hold: a later layer beats an earlier one, any layer beats the defaults. */
export function resolveFlags<T extends FlagTable>(
  table: T,
  ...layers: readonly Partial<FlagValues<T>>[]
): FlagValues<T> {
  // By a loop: map() and fromEntries() are made by the runtime at their first use, at 0.1 ms each.
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(table)) values[name] = table[name]?.default;
  // Every name of the table is there, with a value of its kind.
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

/** `-o value`, `-ovalue`, `-o=value`; a boolean takes its value behind an equals sign only. */
function readShort(table: FlagTable, argument: string): Written {
  const letter = argument.charAt(1);
  const [name = letter] = Object.entries(table).find(([, { short }]) => short === letter) ?? [];
  const rest = argument.slice(2);
  const isBoolean = Object.hasOwn(table, name) && table[name]?.kind === "boolean";
  if (isBoolean && rest !== "" && !rest.startsWith("="))
    return { flag: argument, name: argument, value: undefined };
  return { flag: `-${letter}`, name, value: rest === "" ? undefined : rest.replace(/^=/, "") };
}

/** An empty value empties a list; another adds to it; the last scalar wins. */
function grow(flag: Flag, before: unknown, value: unknown, text: string): unknown {
  const isList = flag.kind === "list" || flag.kind === "patterns";
  return isList && text !== "" && Array.isArray(before) && Array.isArray(value)
    ? [...before, ...value]
    : value;
}

function unknownFlag(table: FlagTable, { flag, name }: Written): ArgumentError {
  const near = Object.keys(table).find((known) => isNear(known, name));
  const hint = near === undefined ? "" : `: did you mean --${near}?`;
  return problem("unknown-flag", flag, `unknown flag ${flag}${hint}`);
}

/** The same but for underscores, case, or one letter more, less or other. */
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
  // One line, and nothing that a terminal would obey: names come from outside.
  message: message.replace(
    /\p{Cc}/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  ),
});
