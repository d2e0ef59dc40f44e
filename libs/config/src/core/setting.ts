// SPDX-License-Identifier: Apache-2.0

import { type Flag, parseFlagValue } from "@rthooks/flags";
import { err, ok, type Result } from "@rthooks/result";

/** What is given for a flag outside of the command line. */
export interface Setting {
  /** Of the flag, without dashes. */
  readonly name: string;
  readonly text: string;
  /** Where it comes from: "/etc/tetragon/tetragon.conf.d/log-level", "TETRAGON_LOG_LEVEL". */
  readonly origin: string;
}

type Value = Flag["default"];

/** A longer text is not repeated in an error: it is another file than the flag's. */
const MAX_SHOWN = 64;

/**
 * The elements of a list are separated by commas, spaces or line breaks: viper, which Tetragon reads its flags with, splits
 * at spaces. An empty text is the default of a flag that does not take it as a value, so that a setting can be cleared.
 */
export function parseSetting(flag: Flag, { text, origin, name }: Setting): Result<Value, string> {
  const isClearing = text === "" && (flag.kind === "boolean" || flag.kind === "duration" || hasChoices(flag));
  if (isClearing) return ok(flag.default);
  const parsed = parseFlagValue(flag, flag.kind === "list" ? text.trim().replace(/\s+/g, ",") : text);
  if (parsed.ok) return parsed;
  const why = text.length > MAX_SHOWN ? `${text.length} characters are no value of --${name}` : parsed.error;
  return err(`${origin}: ${why}`);
}

const hasChoices = (flag: Flag): boolean => flag.kind === "string" && flag.choices !== undefined;
