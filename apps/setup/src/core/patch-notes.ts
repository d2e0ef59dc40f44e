// SPDX-License-Identifier: Apache-2.0

import { type ConfigDocument, type ContainerdLayers, findUnread, textsOf } from "@rthooks/runtime-config";
import { listRuntimes } from "./containerd-runtimes.ts";
import type { ContainerdPatch } from "./patch.ts";

/** What the patch does not cover, and what could undo it. */
export function findNotes(
  layers: ContainerdLayers,
  main: ConfigDocument,
  patch: ContainerdPatch,
): readonly string[] {
  const notes: string[] = [];
  if (main.text.startsWith("\ufeff")) {
    notes.push("this file begins with a byte order mark: containerd 2.x cannot read it");
  }
  const imports = textsOf(main.table["imports"]);
  if (imports.length > 0 && layers.documents.length === 1) {
    notes.push(
      `this file imports ${imports.join(", ")}, but no such file was found: imported files override this one, and in containerd 1.x each of their [plugins.…] tables replaces the whole table here`,
    );
  }
  for (const document of layers.documents) {
    for (const id of layers.disabledIn("runtime", document)) {
      notes.push(`disabled_plugins has ${id}: kubelet cannot use this containerd`);
    }
    for (const id of patch.kind === "enable-nri" ? layers.disabledIn("nri", document) : []) {
      notes.push(`removing ${id} from disabled_plugins`);
    }
  }
  if (layers.rules === "1" && layers.version === 1) {
    notes.push(
      patch.kind.endsWith("-nri")
        ? "containerd 2.x does not read NRI's table from a file of version 1; NRI is enabled there by default"
        : "containerd 2.x does not read CRI's tables from a file of version 1: base_runtime_spec has no effect there",
    );
  }
  notes.push(...findUnread(layers));
  const hasOthers = listRuntimes(layers).some(
    ({ isRunc, decidingFile }) => !isRunc && decidingFile !== undefined,
  );
  if (patch.kind === "add-oci-hook") {
    for (const { name, isRunc, table } of listRuntimes(layers)) {
      const own = table["base_runtime_spec"];
      if (!isRunc || typeof own !== "string" || own === "" || own === patch.baseSpecPath) continue;
      notes.push(
        `runtime ${JSON.stringify(name)} keeps its base spec ${own}: use --base-spec ${own} to add the hook to it`,
      );
    }
  }
  if (patch.kind === "add-oci-hook" && hasOthers) {
    notes.push(
      "a base spec adds the hook to runc containers only: containers of the other runtimes bypass the hook",
    );
  }
  return notes;
}
