// SPDX-License-Identifier: Apache-2.0
// Changes of CRI-O's configuration, its main file or a drop-in (crio.conf.5, "CRIO.RUNTIME.RUNTIMES TABLE").

import { err, ok, type Result } from "@rthooks/result";
import { findValue, isTable } from "@rthooks/runtime-config";
import { editToml, parseTomlValues, type TomlEdit } from "@rthooks/toml";
import type { FilePlan, PatchError } from "./patch.ts";

const runtimesPath = ["crio", "runtime", "runtimes"];

/** Lets the annotations through to the spec, for every runtime of the file. */
export function enableAnnotations(
  path: string,
  text: string,
  annotations: readonly string[],
): Result<FilePlan, PatchError> {
  const values = parseTomlValues(text.replace(/^\ufeff/, ""));
  if (!values.ok) return err({ kind: "toml", path, error: values.error });
  const runtimes = findValue(values.value, runtimesPath);
  const names = isTable(runtimes) ? Object.keys(runtimes).filter((name) => isTable(runtimes[name])) : [];
  if (names.length === 0) {
    return err({
      kind: "refused",
      path,
      message: "has no [crio.runtime.runtimes.…] table: patch the file in /etc/crio/crio.conf.d that has one",
    });
  }
  const edits = names.map(
    (name): TomlEdit => ({
      kind: "add",
      table: [...runtimesPath, name],
      key: "allowed_annotations",
      texts: annotations,
    }),
  );
  const edited = editToml(text, edits);
  if (!edited.ok) return err({ kind: "toml", path, error: edited.error });
  return ok({
    changes: edited.value === text ? [] : [{ path, before: text, after: edited.value }],
    notes: [],
  });
}
