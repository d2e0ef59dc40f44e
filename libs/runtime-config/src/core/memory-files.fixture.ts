// SPDX-License-Identifier: Apache-2.0

import type { NodeFiles } from "./node-files.ts";

/** A node of the given files, for tests; a path without a text is a directory. */
export function createMemoryFiles(texts: Readonly<Record<string, string>>): NodeFiles {
  const paths = Object.keys(texts);
  const find = (path: string): string | undefined => (Object.hasOwn(texts, path) ? texts[path] : undefined);
  return {
    readText(path) {
      const text = find(path);
      return text === undefined ? undefined : { text };
    },
    list: (path) =>
      [...new Set(paths.filter((at) => at.startsWith(`${path}/`)).map((at) => firstName(at, path)))].sort(),
    kind(path) {
      if (find(path) !== undefined) return "file";
      return paths.some((at) => at.startsWith(`${path}/`)) ? "directory" : undefined;
    },
    isExecutable: (path) => find(path) !== undefined,
  };
}

const firstName = (path: string, directory: string): string =>
  path.slice(directory.length + 1).split("/")[0] ?? "";
