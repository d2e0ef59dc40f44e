// SPDX-License-Identifier: Apache-2.0
// The configuration of a plugin that the runtime launches: a JSON object with the names of flags, and "hook-args".
// What the command line says comes first.

import { parseFlagValue } from "@rthooks/flags";
import { err, ok, type Result } from "@rthooks/result";
import { HOOK_ARGS, type PluginFlags, pluginFlags } from "./plugin-flags.ts";

export interface ConfigText {
  readonly given: Partial<PluginFlags>;
  readonly hookArgs: readonly string[] | undefined;
}

/** What a launched plugin can no longer choose, or would not do. */
const fixed: readonly string[] = [
  "nri-socket",
  "nri-name",
  "nri-index",
  "log-format",
  "log-level",
  "metrics-address",
  "help",
  "version",
  "just-print-config",
];

export function parseConfigText(text: string): Result<ConfigText, string> {
  if (text.trim() === "") return ok({ given: {}, hookArgs: undefined });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return err("it is not JSON");
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) return err("it is no JSON object");
  const given: Record<string, unknown> = {};
  let hookArgs: readonly string[] | undefined;
  for (const [key, value] of Object.entries(json)) {
    if (key === HOOK_ARGS) {
      if (!isTexts(value)) return err(`${key}: expected a list of texts`);
      hookArgs = value;
      continue;
    }
    if (fixed.includes(key) || !isFlag(key)) return err(`${JSON.stringify(key)} is no option here`);
    if (typeof value !== "string") return err(`${key}: expected a text`);
    const parsed = parseFlagValue(pluginFlags[key], value);
    if (!parsed.ok) return err(`${key}: ${String(parsed.error)}`);
    given[key] = parsed.value;
  }
  // Each value has come through the parser of its own flag.
  return ok({ given: given as Partial<PluginFlags>, hookArgs });
}

const isFlag = (key: string): key is keyof typeof pluginFlags => Object.hasOwn(pluginFlags, key);

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((element) => typeof element === "string");
