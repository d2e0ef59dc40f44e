// SPDX-License-Identifier: Apache-2.0
// The runtime handlers of containerd's CRI plugin: those of the merged configuration and containerd's built-in one.

import { type ConfigDocument, type ContainerdLayers, isTable, tableAt } from "@rthooks/runtime-config";
import type { TomlTable } from "@rthooks/toml";

export interface ContainerdRuntime {
  readonly name: string;
  readonly table: TomlTable;
  /** runtime_type, or containerd's default for it. */
  readonly type: string;
  readonly isRunc: boolean;
  /** The file that sets base_runtime_spec, or else the last one with the table; undefined if no file has the table. */
  readonly decidingFile: ConfigDocument | undefined;
}

export const RUNC_TYPE = "io.containerd.runc.v2";

export const RUNTIMES = ["containerd", "runtimes"] as const; // const: a path

export function listRuntimes(layers: ContainerdLayers): readonly ContainerdRuntime[] {
  const { containerd } = layers.effective("runtime");
  const given = isTable(containerd) ? containerd["runtimes"] : undefined;
  const tables = isTable(given) ? given : {};
  // A table of runtimes replaces the built-in one in containerd 1.x, and adds to it in 2.x.
  const isRuncThere = layers.rules !== "1" || !isTable(given);
  const names = new Set([...(isRuncThere ? ["runc"] : []), ...Object.keys(tables)]);
  return [...names].map((name) => {
    const table = tableAt(tables, name);
    const own = table["runtime_type"];
    const type = typeof own === "string" && own !== "" ? own : name === "runc" ? RUNC_TYPE : "";
    return { name, table, type, isRunc: isRuncType(type), decidingFile: findDecidingFile(layers, name) };
  });
}

/** In MicroK8s' template; the launcher of MicroK8s replaces it with a runc type. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: the literal text of the file
const MICROK8S_TYPE = "${RUNTIME_TYPE}";

const isRuncType = (type: string): boolean =>
  type.startsWith("io.containerd.runc.") || type === MICROK8S_TYPE;

function findDecidingFile(layers: ContainerdLayers, name: string): ConfigDocument | undefined {
  const documents = layers.contributors("runtime");
  const tableOf = (document: ConfigDocument): unknown =>
    tableAt(layers.tableIn("runtime", document) ?? {}, ...RUNTIMES)[name];
  return (
    documents.findLast((document) => {
      const table = tableOf(document);
      return isTable(table) && table["base_runtime_spec"] !== undefined;
    }) ?? documents.findLast((document) => isTable(tableOf(document)))
  );
}
