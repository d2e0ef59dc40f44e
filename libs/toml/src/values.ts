// SPDX-License-Identifier: Apache-2.0
// Applies edits to values: the expected values of the edited document.

import { TomlDate } from "smol-toml";
import type { TomlTable } from "./parse.ts";
import type { TomlEdit } from "./toml-edit.ts";

export function applyEdit(values: TomlTable, edit: TomlEdit): TomlTable {
  switch (edit.kind) {
    case "set":
      return changeTable(values, edit.table, (table) => ({ ...table, ...fromEntries(edit.entries) }));
    case "remove":
      return changeExisting(values, edit.table, edit.key, (table) =>
        fromEntries(Object.entries(table).filter(([key]) => key !== edit.key)),
      );
    case "add":
      return changeTable(values, edit.table, (table) => {
        const old = findOwn(table, edit.key);
        const known: readonly unknown[] = Array.isArray(old) ? old : [];
        const added = [...new Set(edit.texts)].filter((text) => !known.includes(text));
        return { ...table, ...fromEntries([[edit.key, [...known, ...added]]]) };
      });
    case "drop":
      return changeExisting(values, edit.table, edit.key, (table) => {
        const old = findOwn(table, edit.key);
        if (!Array.isArray(old)) return table;
        return { ...table, ...fromEntries([[edit.key, old.filter((element) => element !== edit.text)]]) };
      });
  }
}

/** Object.fromEntries creates an own property for every name, including "__proto__". */
const fromEntries = (entries: readonly (readonly [string, unknown])[]): TomlTable =>
  Object.fromEntries(entries);

const findOwn = (table: TomlTable, key: string): unknown =>
  Object.hasOwn(table, key) ? table[key] : undefined;

function changeTable(
  values: TomlTable,
  path: readonly string[],
  change: (table: TomlTable) => TomlTable,
): TomlTable {
  const [first, ...rest] = path;
  if (first === undefined) return change(values);
  return { ...values, ...fromEntries([[first, changeTable(toTable(findOwn(values, first)), rest, change)]]) };
}

function changeExisting(
  values: TomlTable,
  path: readonly string[],
  key: string,
  change: (table: TomlTable) => TomlTable,
): TomlTable {
  let table: unknown = values;
  for (const part of path) table = isTable(table) ? findOwn(table, part) : undefined;
  return isTable(table) && Object.hasOwn(table, key) ? changeTable(values, path, change) : values;
}

const toTable = (value: unknown): TomlTable => (isTable(value) ? value : {});

const isTable = (value: unknown): value is TomlTable =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof TomlDate);

export function isSameValue(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((element, at) => isSameValue(element, other[at]));
  }
  if (isTable(one) && isTable(other)) {
    const keys = Object.keys(one);
    return (
      keys.length === Object.keys(other).length &&
      keys.every((key) => Object.hasOwn(other, key) && isSameValue(one[key], other[key]))
    );
  }
  // Dates of TOML know their own form.
  if (one instanceof TomlDate && other instanceof TomlDate) return one.toISOString() === other.toISOString();
  return Object.is(one, other);
}
