// SPDX-License-Identifier: Apache-2.0
// What a change should make of a document's values, written without the library that is tested.
import type { TomlEdit } from "@rthooks/toml";
import { parse, TomlDate, type TomlTable } from "smol-toml";

export const readValues = (text: string): TomlTable =>
  parse(text.replace(/^\ufeff/, ""), { integersAsBigInt: true });

const isTable = (value: unknown): value is TomlTable =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof TomlDate);

/** The same text for the same values, whatever the order of the keys. */
export function describeValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(describeValue).join(",")}]`;
  if (isTable(value)) {
    const entries = Object.entries(value).map(
      ([key, child]) => `${JSON.stringify(key)}:${describeValue(child)}`,
    );
    return `{${entries.toSorted().join(",")}}`;
  }
  if (value instanceof TomlDate) return value.toISOString();
  if (typeof value === "string") return JSON.stringify(value);
  return Object.is(value, -0) ? "-0" : `${typeof value} ${String(value)}`;
}

export const findValue = (values: TomlTable, path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (found, key) => (isTable(found) && Object.hasOwn(found, key) ? found[key] : undefined),
    values,
  );

const isText = (value: unknown): value is string => typeof value === "string";

/** Changes the values; whether that could be done, which is whether the document has nothing else in the place. */
export function applyToValues(values: TomlTable, edit: TomlEdit): boolean {
  const mayCreate = edit.kind === "set" || edit.kind === "add";
  let table = values;
  for (const key of edit.table) {
    let next = findValue(table, [key]);
    if (next === undefined) {
      if (!mayCreate) return true;
      next = {};
      put(table, key, next);
    }
    // An array of tables is no table that a key could be set in.
    if (!isTable(next)) return !mayCreate;
    table = next;
  }
  switch (edit.kind) {
    case "set":
      for (const [key, value] of edit.entries) {
        if (isTable(findValue(table, [key]))) return false;
        put(table, key, value);
      }
      return true;
    case "remove":
      delete table[edit.key];
      return true;
    case "add":
    case "drop": {
      const old = findValue(table, [edit.key]);
      if (old === undefined && edit.kind === "drop") return true;
      const texts = old ?? [];
      if (!Array.isArray(texts) || !texts.every(isText)) return false;
      const changed =
        edit.kind === "add"
          ? [...texts, ...edit.texts.filter((text) => !texts.includes(text))]
          : texts.filter((text) => text !== edit.text);
      put(table, edit.key, changed);
      return true;
    }
  }
}

/** As a property of its own, whatever the name. */
function put(table: TomlTable, key: string, value: unknown): void {
  Object.defineProperty(table, key, { value, enumerable: true, configurable: true, writable: true });
}
