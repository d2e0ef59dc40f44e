// SPDX-License-Identifier: Apache-2.0
// Joins what the command line, the environment and the files give, in this order of precedence.

import type { Flag, FlagTable } from "@rthooks/flags";
import { err, ok, type Result } from "@rthooks/result";
import type { ForeignFlags } from "./foreign-flag.ts";
import { parseSetting, type Setting } from "./setting.ts";

/** A flag of the other program that was given. */
export interface ForeignUse {
  readonly name: string;
  /** Where it was given; of the command line "the command line". */
  readonly origin: string;
  readonly here: string;
  /** It has the value that it has by default there: nothing is asked for. */
  readonly isDefault: boolean;
}

export interface MergedSettings {
  /** The values of the program's own flags. */
  readonly values: ReadonlyMap<string, Flag["default"]>;
  /** Where each of them comes from, of those that are not from the command line. */
  readonly origins: ReadonlyMap<string, string>;
  readonly foreign: readonly ForeignUse[];
}

export interface SettingLayers {
  /** By name, own flags and foreign ones. */
  readonly line: ReadonlyMap<string, Flag["default"]>;
  /** An earlier layer takes precedence. */
  readonly layers: readonly (readonly Setting[])[];
}

/** The error is one line that names the file or the variable. */
export function mergeSettings(
  table: FlagTable,
  foreign: ForeignFlags,
  { line, layers }: SettingLayers,
): Result<MergedSettings, string> {
  const values = new Map<string, Flag["default"]>();
  const origins = new Map<string, string>();
  const uses = new Map<string, ForeignUse>();

  /** False where a layer with precedence has given the flag. */
  const take = (name: string, origin: string, value: Flag["default"]): void => {
    if (values.has(name)) return;
    values.set(name, value);
    if (origin !== LINE) origins.set(name, origin);
  };
  const use = (name: string, origin: string, value: Flag["default"]): void => {
    const known = foreign.get(name);
    if (known === undefined || uses.has(name)) return;
    const { here, takenBy } = known;
    uses.set(name, { name, origin, here, isDefault: String(value) === String(known.value.default) });
    if (takenBy !== undefined) take(takenBy, origin, value);
  };

  // In each layer the program's own name takes precedence over the foreign one.
  for (const [name, value] of line) if (Object.hasOwn(table, name)) take(name, LINE, value);
  for (const [name, value] of line) use(name, LINE, value);
  for (const settings of layers) {
    for (const setting of settings) {
      const flag = Object.hasOwn(table, setting.name) ? table[setting.name] : undefined;
      if (flag === undefined || values.has(setting.name)) continue;
      const parsed = parseSetting(flag, setting);
      if (!parsed.ok) return parsed;
      take(setting.name, setting.origin, parsed.value);
    }
    for (const setting of settings) {
      const known = foreign.get(setting.name);
      if (known === undefined || uses.has(setting.name)) continue;
      const parsed = parseSetting(known.value, setting);
      // What has no effect here is not an error.
      if (!parsed.ok && known.takenBy !== undefined) return err(parsed.error);
      use(setting.name, setting.origin, parsed.ok ? parsed.value : setting.text);
    }
  }
  return ok({ values, origins, foreign: [...uses.values()] });
}

const LINE = "the command line";
