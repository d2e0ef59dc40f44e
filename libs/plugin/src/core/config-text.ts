// SPDX-License-Identifier: Apache-2.0
// The configuration of a plugin that the runtime launches: a JSON object whose keys are flag names and "hook-args".
// Flags of the command line take precedence.

import { parseFlagValue } from "@rthooks/flags";
import { err, ok, parseJsonObject, type Result } from "@rthooks/result";
import { HOOK_ARGS, type PluginFlags, pluginFlags } from "./plugin-flags.ts";

export interface ConfigText {
  readonly given: Partial<PluginFlags>;
  readonly hookArgs: readonly string[] | undefined;
}

/** Flags that are read before the runtime sends the configuration. */
const fixed: readonly string[] = [
  "nri-socket",
  "nri-name",
  "nri-index",
  "log-format",
  "log-level",
  "metrics-address",
  "inspect-address",
  "inspect-token-file",
  "help",
  "version",
  "just-print-config",
];

export function parseConfigText(text: string): Result<ConfigText, string> {
  if (text.trim() === "") return ok({ given: {}, hookArgs: undefined });
  const parsed = parseJsonObject(text);
  if (!parsed.ok) return err(`it is ${parsed.error}`);
  const given: Record<string, unknown> = {};
  let hookArgs: readonly string[] | undefined;
  for (const [key, value] of Object.entries(parsed.value)) {
    if (key === HOOK_ARGS) {
      if (!isStrings(value)) return err(`${key}: expected a list of strings`);
      hookArgs = value;
      continue;
    }
    if (fixed.includes(key) || !isFlag(key)) return err(`${JSON.stringify(key)} cannot be set here`);
    if (typeof value !== "string") return err(`${key}: expected a string`);
    const flag = parseFlagValue(pluginFlags[key], value);
    if (!flag.ok) return err(`${key}: ${String(flag.error)}`);
    given[key] = flag.value;
  }
  // The cast is safe: the flag's own parser returned each value.
  return ok({ given: given as Partial<PluginFlags>, hookArgs });
}

const isFlag = (key: string): key is keyof typeof pluginFlags => Object.hasOwn(pluginFlags, key);

const isStrings = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((element) => typeof element === "string");
