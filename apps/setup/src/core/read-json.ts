// SPDX-License-Identifier: Apache-2.0

import type { JsonObject } from "@rthooks/result";
import type { NodeFiles } from "@rthooks/runtime-config";
import { parseExactJson } from "./exact-json.ts";

/** The JSON object in a file; undefined if the file cannot be read or contains anything else. */
export function readJson(files: NodeFiles, path: string): JsonObject | undefined {
  const read = files.readText(path);
  return read !== undefined && "text" in read ? parseExactJson(read.text) : undefined;
}

/** The names of the hook files in a hooks directory: oci-hooks(5) reads files that end in .json. */
export const listHookFiles = (files: NodeFiles, directory: string): readonly string[] =>
  files.list(directory).filter((name) => name.endsWith(".json"));
