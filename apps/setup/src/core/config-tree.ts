// SPDX-License-Identifier: Apache-2.0
// A configuration file of containerd and all that it imports, in the order in which containerd reads them:
// breadth first, each file once (containerd cmd/containerd/server/config/config.go, LoadConfig).

import type { TomlTable } from "@rthooks/toml";
import type { NodeFiles } from "./node-files.ts";
import { parseTomlTable, textsOf } from "./toml-document.ts";

export interface ConfigTree {
  /** Those that could be read, and are TOML. */
  readonly documents: readonly { readonly path: string; readonly table: TomlTable }[];
  readonly problems: readonly string[];
}

/** A mistaken glob must not read the whole disk. */
const MAX_FILES = 64;

export function readConfigTree(files: NodeFiles, path: string): ConfigTree {
  const documents: { path: string; table: TomlTable }[] = [];
  const problems: string[] = [];
  const pending = [path];
  // The loop sees what is added to the end while it runs.
  for (const next of pending) {
    if (documents.length === MAX_FILES) {
      problems.push(`${path} imports more than ${MAX_FILES} files: the rest was not read`);
      break;
    }
    const read = readDocument(files, next);
    if (read === undefined) {
      if (next !== path) problems.push(`${next}: imported, and not there`);
      continue;
    }
    if ("problem" in read) {
      problems.push(`${next}: ${read.problem}`);
      continue;
    }
    documents.push({ path: next, table: read.table });
    for (const pattern of textsOf(read.table["imports"])) {
      for (const found of expand(files, toAbsolute(pattern, next))) {
        if (!pending.includes(found)) pending.push(found);
      }
    }
  }
  return { documents, problems };
}

export function readDocument(
  files: NodeFiles,
  path: string,
): { readonly table: TomlTable } | { readonly problem: string } | undefined {
  const read = files.readText(path);
  if (read === undefined || "problem" in read) return read;
  return parseTomlTable(read.text);
}

const toAbsolute = (pattern: string, importer: string): string =>
  pattern.startsWith("/") ? pattern : `${importer.slice(0, importer.lastIndexOf("/"))}/${pattern}`;

/** Go's filepath.Glob as far as imports use it: `*` in the file's name. */
function expand(files: NodeFiles, path: string): readonly string[] {
  const at = path.lastIndexOf("/");
  const [directory, name] = [path.slice(0, at), path.slice(at + 1)];
  if (!name.includes("*")) return [path];
  const parts = name.split("*");
  return files
    .list(directory)
    .filter((file) => matches(file, parts))
    .map((file) => `${directory}/${file}`);
}

/** Whether the parts stand in the name in their order, with anything between them; in linear time. */
function matches(name: string, parts: readonly string[]): boolean {
  const [first = "", ...rest] = parts;
  const last = rest.pop() ?? "";
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length;
}
