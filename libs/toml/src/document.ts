// SPDX-License-Identifier: Apache-2.0
// Index of the tables and keys of a document.

import type { AST } from "toml-eslint-parser";

export type Path = readonly string[];

export interface Entry {
  /** From the root. Keys in elements of arrays are not indexed. */
  readonly path: Path;
  readonly node: AST.TOMLKeyValue;
  /** Path and node of the table whose body has the key; the node is undefined for the root table. */
  readonly container: Path;
  readonly table: AST.TOMLTable | undefined;
  /** The inline table that has the key. */
  readonly inline: AST.TOMLInlineTable | undefined;
}

export interface Header {
  readonly path: Path;
  readonly node: AST.TOMLTable;
}

export interface DocumentIndex {
  readonly entries: readonly Entry[];
  readonly headers: readonly Header[];
}

export function indexDocument(program: AST.TOMLProgram): DocumentIndex {
  const entries: Entry[] = [];
  const headers: Header[] = [];
  const [root] = program.body;

  const addEntry = (
    node: AST.TOMLKeyValue,
    container: Path,
    table: AST.TOMLTable | undefined,
    inline: AST.TOMLInlineTable | undefined,
  ): void => {
    const path = [...container, ...toNames(node.key)];
    entries.push({ path, node, container, table, inline });
    if (node.value.type !== "TOMLInlineTable") return;
    for (const child of node.value.body) addEntry(child, path, table, node.value);
  };

  for (const node of root.body) {
    if (node.type === "TOMLKeyValue") {
      addEntry(node, [], undefined, undefined);
      continue;
    }
    // Numbers are indexes in arrays of tables.
    const path = node.resolvedKey.filter((part) => typeof part === "string");
    if (node.kind === "array" || path.length < node.resolvedKey.length) continue;
    headers.push({ path, node });
    for (const child of node.body) addEntry(child, path, node, undefined);
  }
  return { entries, headers };
}

const toNames = (key: AST.TOMLKey): readonly string[] =>
  key.keys.map((part) => (part.type === "TOMLBare" ? part.name : part.value));

export const isSamePath = (one: Path, other: Path): boolean =>
  one.length === other.length && startsWith(one, other);

export const startsWith = (path: Path, prefix: Path): boolean =>
  prefix.every((part, at) => path[at] === part);
