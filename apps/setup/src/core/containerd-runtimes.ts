// SPDX-License-Identifier: Apache-2.0
// The runtime handlers of containerd's CRI plugin, from the merged configuration and containerd's own default.

import { type ConfigDocument, type ContainerdLayers, isTable, tableAt } from "@rthooks/runtime-config";
import type { TomlTable } from "@rthooks/toml";

export interface ContainerdRuntime {
  readonly name: string;
  readonly table: TomlTable;
  /** runtime_type, or what containerd takes where it is not given. */
  readonly type: string;
  readonly isRunc: boolean;
  /** The file in which the table's base_runtime_spec is, or has to be; undefined where no file has the table. */
  readonly decider: ConfigDocument | undefined;
}

export const RUNC_TYPE = "io.containerd.runc.v2";

export const RUNTIMES = ["containerd", "runtimes"] as const; // const: a path

export function listRuntimes(layers: ContainerdLayers): readonly ContainerdRuntime[] {
  const { containerd } = layers.effective("runtime");
  const given = isTable(containerd) ? containerd["runtimes"] : undefined;
  const tables = isTable(given) ? given : {};
  // A table of runtimes replaces the default's in containerd 1.x, and adds to it in 2.x.
  const isRuncThere = layers.rules !== "1" || !isTable(given);
  const names = new Set([...(isRuncThere ? ["runc"] : []), ...Object.keys(tables)]);
  return [...names].map((name) => {
    const table = tableAt(tables, name);
    const own = table["runtime_type"];
    const type = typeof own === "string" && own !== "" ? own : name === "runc" ? RUNC_TYPE : "";
    return { name, table, type, isRunc: isRuncType(type), decider: findDecider(layers, name) };
  });
}

/** In MicroK8s' template, for which its launcher puts in a type of runc. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is what the file says
const MICROK8S_TYPE = "${RUNTIME_TYPE}";

const isRuncType = (type: string): boolean =>
  type.startsWith("io.containerd.runc.") || type === MICROK8S_TYPE;

function findDecider(layers: ContainerdLayers, name: string): ConfigDocument | undefined {
  const holders = layers.holdersOf("runtime");
  const tableOf = (document: ConfigDocument): unknown =>
    tableAt(layers.tableIn("runtime", document) ?? {}, ...RUNTIMES)[name];
  return (
    holders.findLast((document) => {
      const table = tableOf(document);
      return isTable(table) && table["base_runtime_spec"] !== undefined;
    }) ?? holders.findLast((document) => isTable(tableOf(document)))
  );
}
