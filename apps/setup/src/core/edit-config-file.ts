// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";
import type { ConfigDocument } from "@rthooks/runtime-config";
import { editToml, parseTomlValues, type TomlEdit } from "@rthooks/toml";
import type { PatchError } from "./patch.ts";

/** Parses the text of the file at `path`; a byte order mark is allowed. */
export function parseConfigFile(path: string, text: string): Result<ConfigDocument, PatchError> {
  const values = parseTomlValues(text.replace(/^\ufeff/, ""));
  return values.ok
    ? ok({ path, text, table: values.value })
    : err({ kind: "toml", path, error: values.error });
}

/** The document after the edits; the same object if there are none. */
export function editConfigFile(
  document: ConfigDocument,
  edits: readonly TomlEdit[],
): Result<ConfigDocument, PatchError> {
  if (edits.length === 0) return ok(document);
  const { path, text } = document;
  const edited = editToml(text, edits);
  return edited.ok ? parseConfigFile(path, edited.value) : err({ kind: "toml", path, error: edited.error });
}
