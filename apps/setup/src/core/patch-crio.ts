// SPDX-License-Identifier: Apache-2.0
// Patches of CRI-O's configuration, its main file or a drop-in file (crio.conf.5, "CRIO.RUNTIME.RUNTIMES TABLE").

import { ok, type Result } from "@rthooks/result";
import { findValue, isTable } from "@rthooks/runtime-config";
import type { TomlEdit } from "@rthooks/toml";
import { editConfigFile, parseConfigFile } from "./edit-config-file.ts";
import { type FilePlan, type PatchError, rejectPatch } from "./patch.ts";

const runtimesPath = ["crio", "runtime", "runtimes"];

/**
 * Adds the annotations to `allowed_annotations` of every runtime of the file: only allowed ones get into the OCI spec.
 */
export function enableAnnotations(
  path: string,
  text: string,
  annotations: readonly string[],
): Result<FilePlan, PatchError> {
  const document = parseConfigFile(path, text);
  if (!document.ok) return document;
  const runtimes = findValue(document.value.table, runtimesPath);
  const names = isTable(runtimes) ? Object.keys(runtimes).filter((name) => isTable(runtimes[name])) : [];
  if (names.length === 0) {
    return rejectPatch(
      path,
      "has no [crio.runtime.runtimes.…] table: patch the file in /etc/crio/crio.conf.d that has one",
    );
  }
  const edits = names.map(
    (name): TomlEdit => ({
      kind: "add",
      table: [...runtimesPath, name],
      key: "allowed_annotations",
      texts: annotations,
    }),
  );
  const edited = editConfigFile(document.value, edits);
  if (!edited.ok) return edited;
  const after = edited.value.text;
  return ok({ changes: after === text ? [] : [{ path, before: text, after }], notes: [] });
}
