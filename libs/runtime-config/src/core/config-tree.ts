// SPDX-License-Identifier: Apache-2.0
// A configuration file of containerd and its imports, in the order in which containerd reads them: breadth first, each
// path once (containerd cmd/containerd/server/config/config.go, LoadConfig and resolveImports; the same in 1.7 and
// 2.x).

import type { TomlTable } from "@rthooks/toml";
import { globPaths } from "./go-glob.ts";
import type { NodeFiles } from "./node-files.ts";
import { cleanPath, toDirectory } from "./posix-path.ts";
import { parseTomlTable, textsOf } from "./toml-document.ts";

export interface ConfigDocument {
  readonly path: string;
  readonly text: string;
  readonly table: TomlTable;
}

export interface ConfigTree {
  /** The files that exist and are valid TOML. */
  readonly documents: readonly ConfigDocument[];
  readonly problems: readonly string[];
}

/** Bounds what a wrong import pattern can read. */
const MAX_FILES = 64;

/** Reads the tree below the file at `path`; `main` replaces the content of that file. */
export function readConfigTree(files: NodeFiles, path: string, main?: ConfigDocument): ConfigTree {
  const documents: ConfigDocument[] = [];
  const problems: string[] = [];
  const pending = [path];
  // Imports are appended while the loop runs.
  for (const next of pending) {
    if (documents.length === MAX_FILES) {
      problems.push(`${path} imports more than ${MAX_FILES} files: only the first ${MAX_FILES} are read`);
      break;
    }
    const read = next === path && main !== undefined ? main : readDocument(files, next);
    if (read === undefined) {
      if (next !== path) problems.push(`${next}: imported file does not exist: containerd fails to start`);
      continue;
    }
    if ("problem" in read) {
      problems.push(`${next}: ${read.problem}`);
      continue;
    }
    documents.push({ ...read, path: next });
    for (const pattern of textsOf(read.table["imports"])) {
      const found = resolveImport(files, pattern, next);
      if (found === undefined)
        problems.push(`${next}: malformed import pattern ${pattern}: containerd fails to start`);
      for (const one of found ?? []) if (!pending.includes(one)) pending.push(one);
    }
  }
  return { documents, problems };
}

export function readDocument(
  files: NodeFiles,
  path: string,
): { readonly text: string; readonly table: TomlTable } | { readonly problem: string } | undefined {
  const read = files.readText(path);
  if (read === undefined || "problem" in read) return read;
  const parsed = parseTomlTable(read.text.replace(/^\ufeff/, ""));
  return "problem" in parsed ? parsed : { text: read.text, table: parsed.table };
}

/** Without a `*` the pattern is a file name, even if it has other special characters. */
function resolveImport(files: NodeFiles, pattern: string, importer: string): readonly string[] | undefined {
  const path = cleanPath(pattern.startsWith("/") ? pattern : `${toDirectory(importer)}/${pattern}`);
  return path.includes("*") ? globPaths(files, path) : [path];
}
