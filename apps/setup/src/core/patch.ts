// SPDX-License-Identifier: Apache-2.0

import type { TomlTable } from "@rthooks/toml";

export interface Patched {
  readonly text: string;
  /** For people, one line each: what the change does not cover, or could undo it. */
  readonly notes: readonly string[];
}

/** The value at a path of tables; undefined where there is none. */
export function findValue(values: TomlTable, path: readonly string[]): unknown {
  let found: unknown = values;
  for (const key of path) {
    found = isTable(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  }
  return found;
}

export const isTable = (value: unknown): value is TomlTable =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);

export const toTexts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((element) => typeof element === "string") : [];
