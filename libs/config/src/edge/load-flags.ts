// SPDX-License-Identifier: Apache-2.0

import { basename } from "node:path";
import {
  type Flag,
  type FlagTable,
  type FlagValues,
  findNearFlag,
  parseArguments,
  resolveFlags,
} from "@rthooks/flags";
import { err, ok, type Result } from "@rthooks/result";
import type { configFlags } from "../core/config-flags.ts";
import type { ForeignFlag } from "../core/foreign-flag.ts";
import { listVariables } from "../core/list-variables.ts";
import { type ForeignUse, mergeSettings } from "../core/merge-settings.ts";
import type { FollowedConfig } from "./follow-config.ts";
import { readConfigDirectory } from "./read-config-directory.ts";

export interface LoadFlagsOptions<T extends FlagTable> {
  readonly table: T;
  /** Flags of another program that are accepted and reported. */
  readonly foreign: readonly ForeignFlag[];
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of the variables: "TETRAGON_". */
  readonly prefix: string;
  /** How users get help, for errors of the command line: "see tetragon --help". */
  readonly hint: string;
}

export interface LoadedFlags<T extends FlagTable> {
  readonly flags: FlagValues<T>;
  readonly positionals: readonly string[];
  readonly foreign: readonly ForeignUse[];
  /** Files and variables that belong to no flag, with the flag that may be meant. */
  readonly unknown: readonly { readonly origin: string; readonly near: string | undefined }[];
  /** Undefined without `--config-dir`. */
  readonly config: FollowedConfig | undefined;
  /** Appends to an error that begins with "--NAME" where the value of this flag comes from. */
  locate(message: string): string;
}

type WithConfig = FlagTable & typeof configFlags & { readonly help: Flag };

/**
 * The command line takes precedence over the environment, and the environment over the files of `--config-dir`. With --help
 * or --version neither of the two is read. The error is one line.
 */
export async function loadFlags<T extends WithConfig>(
  options: LoadFlagsOptions<T>,
): Promise<Result<LoadedFlags<T>, string>> {
  const { table, argv, environment, prefix, hint } = options;
  const foreign = new Map(options.foreign.map((one) => [one.name, one]));
  const foreignTable = Object.fromEntries(options.foreign.map(({ name, value }) => [name, value]));
  const whole: FlagTable = { ...foreignTable, ...table };
  const parsed = parseArguments(whole, argv);
  if (!parsed.ok) return err(`${parsed.error.message}; ${hint}`);
  const { given, positionals } = parsed.value;
  const line = new Map(
    Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
  const isImmediate = line.get("help") === true || line.get("version") === true;

  const isFlag = (name: string): boolean => Object.hasOwn(whole, name) && !immediate.has(name);
  const isFileFlag = (name: string): boolean => isFlag(name) && name !== "config-dir";
  const variables = isImmediate
    ? { settings: [], others: [] }
    : listVariables(environment, prefix, Object.keys(whole).filter(isFlag));
  const fromVariable = variables.settings.find(({ name }) => name === "config-dir")?.text;
  const directory = String(line.get("config-dir") ?? fromVariable ?? "");
  const read =
    isImmediate || directory === ""
      ? ok({ settings: [], others: [] })
      : await readConfigDirectory(directory, isFileFlag);
  if (!read.ok) return read;
  const layers = [variables.settings, read.value.settings];
  const merged = mergeSettings(table, foreign, { line, layers });
  if (!merged.ok) return merged;
  const { values, origins } = merged.value;
  const overruling = new Set([...line.keys(), ...variables.settings.map(({ name }) => name)]);
  const isRead = (name: string): boolean => isFileFlag(name) && !overruling.has(name);
  return ok({
    // The cast is safe: each value was parsed by the flag of its name.
    flags: resolveFlags(table, Object.fromEntries(values) as Partial<FlagValues<T>>),
    positionals,
    foreign: merged.value.foreign,
    unknown: [
      ...variables.others.map((origin) => ({
        origin,
        near: findNearFlag(table, origin.slice(prefix.length)),
      })),
      ...read.value.others.map((origin) => ({ origin, near: findNearFlag(table, basename(origin)) })),
    ],
    config:
      directory === ""
        ? undefined
        : { directory, isRead, files: read.value.settings.filter(({ name }) => isRead(name)) },
    locate(message) {
      const [, name = ""] = /^--([a-z0-9-]+)/.exec(message) ?? [];
      const origin = origins.get(name);
      return origin === undefined ? message : `${message} (from ${origin})`;
    },
  });
}

/** Flags of the command line alone. */
const immediate: ReadonlySet<string> = new Set(["help", "version"]);
