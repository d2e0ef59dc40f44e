// SPDX-License-Identifier: Apache-2.0

import { parse, TomlDate, TomlError } from "smol-toml";

export type TomlTable = Readonly<Record<string, unknown>>;

/** The error is one line. */
export function parseTomlTable(text: string): { readonly table: TomlTable } | { readonly problem: string } {
  try {
    return { table: parse(text, { integersAsBigInt: "asNeeded" }) };
  } catch (error) {
    if (error instanceof TomlError) {
      const [what = ""] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
      return { problem: `line ${error.line}, column ${error.column}: ${what}` };
    }
    return { problem: "it is nested too deep" };
  }
}

const isTable = (value: unknown): value is TomlTable =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof TomlDate);

/** The table at a path; an empty one where none is. */
export function tableAt(table: TomlTable, ...keys: readonly string[]): TomlTable {
  let found: TomlTable = table;
  for (const key of keys) {
    const next = Object.hasOwn(found, key) ? found[key] : undefined;
    found = isTable(next) ? next : {};
  }
  return found;
}

/** Of a list, or of nothing, the texts in it. */
export const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];

/** Tables merge key by key, all else is replaced. */
export function mergeTables(one: TomlTable, other: TomlTable): TomlTable {
  const merged: Record<string, unknown> = { ...one };
  for (const [key, value] of Object.entries(other)) {
    const before = Object.hasOwn(merged, key) ? merged[key] : undefined;
    const next = isTable(before) && isTable(value) ? mergeTables(before, value) : value;
    Object.defineProperty(merged, key, { value: next, enumerable: true, writable: true, configurable: true });
  }
  return merged;
}
