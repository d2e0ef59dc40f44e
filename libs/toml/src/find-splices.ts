// SPDX-License-Identifier: Apache-2.0
// Finds the replacements in a document's text for one edit.

import { err, ok, type Result } from "@rthooks/result";
import type { AST } from "toml-eslint-parser";
import { type Entry, indexDocument, isSamePath, type Path, startsWith } from "./document.ts";
import { addElements, dropElement } from "./edit-array.ts";
import { findIndent, findLineEnding, findNextLine, findTableLayout } from "./layout.ts";
import type { Parsed } from "./parse.ts";
import {
  renderKeyPath,
  renderKeyPathLike,
  renderTextLike,
  renderValue,
  type TomlValue,
} from "./render-toml.ts";
import type { TomlEdit } from "./toml-edit.ts";
import { type TomlError, toTomlError } from "./toml-error.ts";
import { isSameValue } from "./values.ts";

/** A replacement of `start` to `end` of the text. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

type Splices = Result<readonly Splice[], TomlError>;

export function findSplices(text: string, { program }: Parsed, wanted: TomlEdit): Splices {
  const index = indexDocument(program);
  const lineEnding = findLineEnding(text);

  return edit(wanted);

  function edit(edit: TomlEdit): Splices {
    switch (edit.kind) {
      case "set":
        return set(edit.table, edit.entries);
      case "remove": {
        const entry = find([...edit.table, edit.key]);
        return entry === undefined ? keepAbsent([...edit.table, edit.key]) : ok([remove(entry)]);
      }
      case "add": {
        const entry = find([...edit.table, edit.key]);
        if (entry === undefined) return set(edit.table, [[edit.key, [...new Set(edit.texts)]]]);
        const list = toList(entry);
        return list.ok ? ok(addElements(text, list.value, edit.texts, lineEnding)) : list;
      }
      case "drop": {
        const entry = find([...edit.table, edit.key]);
        if (entry === undefined) return keepAbsent([...edit.table, edit.key]);
        const list = toList(entry);
        return list.ok ? ok(dropElement(text, list.value, edit.text)) : list;
      }
    }
  }

  function find(path: Path): Entry | undefined {
    return index.entries.find((entry) => isSamePath(entry.path, path));
  }

  /** No change for a key that does not exist; an error if a table has its name. */
  function keepAbsent(path: Path): Splices {
    const header = index.headers.find((other) => startsWith(other.path, path));
    return header === undefined ? ok([]) : fail(header.node, `${renderKeyPath(path)} is a table`);
  }

  function fail(node: { readonly range: AST.Range }, reason: string): Result<never, TomlError> {
    return err(toTomlError(text, node.range[0], reason));
  }

  function toList({ node, path }: Entry): Result<AST.TOMLArray, TomlError> {
    const { value } = node;
    const isList =
      value.type === "TOMLArray" &&
      value.elements.every((element) => element.type === "TOMLValue" && element.kind === "string");
    return isList ? ok(value) : fail(value, `${renderKeyPath(path)} is not a list of strings`);
  }

  function set(table: Path, wanted: readonly (readonly [string, TomlValue])[]): Splices {
    const splices: Splice[] = [];
    const missing: (readonly [string, TomlValue])[] = [];
    for (const [key, value] of wanted) {
      const path = [...table, key];
      const entry = find(path);
      if (entry !== undefined) {
        const { value: old } = entry.node;
        if (old.type === "TOMLInlineTable") return fail(old, `${renderKeyPath(path)} is a table`);
        const oldText = text.slice(...old.range);
        const newText = typeof value === "string" ? renderTextLike(value, oldText) : renderValue(value);
        if (!holds(old, value)) splices.push({ start: old.range[0], end: old.range[1], text: newText });
        continue;
      }
      const absent = keepAbsent(path);
      if (!absent.ok) return absent;
      missing.push([key, value]);
    }
    if (missing.length === 0) return ok(splices);
    const added = addKeys(table, missing);
    return added.ok ? ok([...splices, ...added.value]) : added;
  }

  function holds(node: AST.TOMLContentNode, value: TomlValue): boolean {
    if (node.type === "TOMLArray") {
      const elements = node.elements.map((element) =>
        element.type === "TOMLValue" ? element.value : undefined,
      );
      return Array.isArray(value) && isSameValue(elements, value);
    }
    return node.type === "TOMLValue" && isSameValue(node.value, value);
  }

  function addKeys(table: Path, missing: readonly (readonly [string, TomlValue])[]): Splices {
    const header = index.headers.find(({ path }) => isSamePath(path, table));
    if (header !== undefined) return ok([addLines(header.node, missing)]);
    if (table.length === 0) return ok([addRootLines(missing)]);
    // The nearest parent that is a value: an inline table accepts the keys, any other value does not.
    for (let depth = table.length; depth > 0; depth--) {
      const above = find(table.slice(0, depth));
      if (above === undefined) continue;
      if (above.node.value.type !== "TOMLInlineTable") {
        return fail(above.node.value, `${renderKeyPath(above.path)} is not a table`);
      }
      return ok([addInline(above.node.value, table.slice(depth), missing)]);
    }
    // A table defined by dotted keys must not have a header, too.
    const sibling = index.entries.findLast(
      ({ path, container, inline }) =>
        inline === undefined &&
        path.length > table.length &&
        startsWith(path, table) &&
        container.length < table.length,
    );
    if (sibling !== undefined) {
      const prefix = table.slice(sibling.container.length);
      const indent = findIndent(text, sibling.node.range[0]);
      return ok([linesAfter(sibling.node.range[1], indent, prefix, missing)]);
    }
    return ok([addTable(table, missing)]);
  }

  function renderLine([key, value]: readonly [string, TomlValue], prefix: Path): string {
    return `${renderKeyPath([...prefix, key])} = ${renderValue(value)}`;
  }

  function linesAfter(
    offset: number,
    indent: string,
    prefix: Path,
    missing: readonly (readonly [string, TomlValue])[],
  ): Splice {
    const at = findNextLine(text, offset);
    const hasEnd = text[at - 1] === "\n";
    const lines = missing.map((entry) => `${indent}${renderLine(entry, prefix)}`);
    const joined = lines.join(lineEnding);
    return {
      start: at,
      end: at,
      text: hasEnd ? `${joined}${lineEnding}` : `${lineEnding}${joined}`,
    };
  }

  function addLines(node: AST.TOMLTable, missing: readonly (readonly [string, TomlValue])[]): Splice {
    const last = node.body.at(-1);
    const headerIndent = findIndent(text, node.range[0]);
    const indent = last === undefined ? `${headerIndent}  ` : findIndent(text, last.range[0]);
    // An empty table's range ends with its header.
    const offset = last?.range[1] ?? node.key.range[1];
    return linesAfter(offset, indent, [], missing);
  }

  function addRootLines(missing: readonly (readonly [string, TomlValue])[]): Splice {
    const last = index.entries.findLast(({ table, inline }) => table === undefined && inline === undefined);
    if (last !== undefined) return linesAfter(last.node.range[1], "", [], missing);
    return {
      start: 0,
      end: 0,
      text: missing.map((entry) => `${renderLine(entry, [])}${lineEnding}`).join(""),
    };
  }

  function addInline(
    node: AST.TOMLInlineTable,
    prefix: Path,
    missing: readonly (readonly [string, TomlValue])[],
  ): Splice {
    const added = missing.map((entry) => renderLine(entry, prefix)).join(", ");
    const last = node.body.at(-1);
    if (last !== undefined) return { start: last.range[1], end: last.range[1], text: `, ${added}` };
    const [start, end] = node.range;
    const hasBlanks = end - start > "{}".length;
    return { start: start + 1, end: start + 1, text: hasBlanks ? ` ${added}` : ` ${added} ` };
  }

  function addTable(table: Path, missing: readonly (readonly [string, TomlValue])[]): Splice {
    const layout = findTableLayout(text, index.headers, table);
    const lines = [
      `${layout.header}[${renderKeyPathLike(table, layout.name)}]`,
      ...missing.map((entry) => `${layout.key}${renderLine(entry, [])}`),
    ];
    const ending = lineEnding;
    const hasEnd = text === "" || text.endsWith("\n");
    const needsBlank = layout.hasBlankLineBefore && text !== "" && !/\n[ \t]*\r?\n$/.test(text);
    const before = (hasEnd ? "" : ending) + (needsBlank ? ending : "");
    return {
      start: text.length,
      end: text.length,
      text: before + lines.join(ending) + (hasEnd ? ending : ""),
    };
  }

  function remove({ node, inline }: Entry): Splice {
    const [start, end] = node.range;
    if (inline !== undefined) {
      const at = inline.body.indexOf(node);
      const next = inline.body[at + 1];
      const previous = inline.body[at - 1];
      if (next !== undefined) return { start, end: next.range[0], text: "" };
      return previous === undefined ? { start, end, text: "" } : { start: previous.range[1], end, text: "" };
    }
    const lineStart = text.lastIndexOf("\n", start - 1) + 1;
    const nextLine = findNextLine(text, end);
    const rest = text.slice(end, nextLine);
    // A comment after the value stays on its own line.
    return rest.trim() === ""
      ? { start: lineStart, end: nextLine, text: "" }
      : { start, end: end + (/^[ \t]*/.exec(rest)?.[0].length ?? 0), text: "" };
  }
}
