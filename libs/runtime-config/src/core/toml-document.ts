// SPDX-License-Identifier: Apache-2.0

import { parseTomlValues, renderTomlError, type TomlTable } from "@rthooks/toml";

/** `problem` is one line. */
export function parseTomlTable(text: string): { readonly table: TomlTable } | { readonly problem: string } {
  const parsed = parseTomlValues(text);
  return parsed.ok ? { table: parsed.value } : { problem: renderTomlError(parsed.error) };
}

/** TOML dates are Date objects, not tables. */
export const isTable = (value: unknown): value is TomlTable =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** The value at a path of keys; undefined if there is none. */
export function findValue(table: TomlTable, path: readonly string[]): unknown {
  let found: unknown = table;
  for (const key of path) {
    found = isTable(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  }
  return found;
}

/** The table at a path of keys; an empty table if there is none. */
export function tableAt(table: TomlTable, ...keys: readonly string[]): TomlTable {
  const found = findValue(table, keys);
  return isTable(found) ? found : {};
}

/** The strings of an array; empty for any other value. */
export const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];

/** A string that is not empty; undefined for any other value. */
export const toText = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

/** Merges tables key by key; `other` replaces any other value. */
export function mergeTables(one: TomlTable, other: TomlTable): TomlTable {
  const merged: Record<string, unknown> = { ...one };
  for (const [key, value] of Object.entries(other)) {
    const before = Object.hasOwn(merged, key) ? merged[key] : undefined;
    const next = isTable(before) && isTable(value) ? mergeTables(before, value) : value;
    Object.defineProperty(merged, key, { value: next, enumerable: true, writable: true, configurable: true });
  }
  return merged;
}
