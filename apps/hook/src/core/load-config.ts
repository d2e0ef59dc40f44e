// SPDX-License-Identifier: Apache-2.0

import { type FlagValues, parseFlagValue } from "@rthooks/flags";
import { findConfigFlag, hookFlags } from "@rthooks/hold";
import { err, ok, parseJsonObject, type Result } from "@rthooks/result";

type Given = Partial<FlagValues<typeof hookFlags>>;

export interface ConfigFile {
  readonly given: Given;
  readonly unknownKeys: readonly string[];
}

/**
 * Parses the configuration file: a JSON object whose keys are flag names in snake_case or camelCase. Durations are strings
 * as on the command line or, as Go encodes them, whole nanoseconds; lists are arrays or a string as on the command line.
 */
export function parseConfigFile(text: string): Result<ConfigFile, string> {
  const parsed = parseJsonObject(text);
  if (!parsed.ok) return parsed;
  const given: Record<string, unknown> = {};
  const unknownKeys: string[] = [];
  for (const [key, value] of Object.entries(parsed.value)) {
    const name = findConfigFlag(key);
    if (name === undefined) {
      unknownKeys.push(key);
      continue;
    }
    const flag = parseValue(name, value);
    if (!flag.ok) return err(`${key}: ${flag.error}`);
    given[name] = flag.value;
  }
  // The cast is safe: the flag's own parser returned each value.
  return ok({ given: given as Given, unknownKeys });
}

function parseValue(name: keyof typeof hookFlags, value: unknown): Result<unknown, string> {
  const { kind } = hookFlags[name];
  if ((kind === "list" || kind === "patterns") && Array.isArray(value)) {
    return value.every((element) => typeof element === "string") ? ok(value) : err("expected strings");
  }
  if (kind === "duration" && typeof value === "number") {
    return value >= 0 ? ok(value / 1e6) : err("a duration must not be negative");
  }
  if (kind === "boolean") return typeof value === "boolean" ? ok(value) : err("expected true or false");
  if (typeof value !== "string") return err("expected a string");
  const parsed = parseFlagValue(hookFlags[name], value);
  return parsed.ok ? parsed : err(String(parsed.error));
}
