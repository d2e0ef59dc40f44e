// SPDX-License-Identifier: Apache-2.0
// The edits that set and remove the base spec of containerd's runc runtimes, in the deciding files.

import { err, ok, type Result } from "@rthooks/result";
import {
  type ConfigDocument,
  type ContainerdLayers,
  type ContainerdPlugin,
  isTable,
  tableAt,
  toVersion,
} from "@rthooks/runtime-config";
import type { TomlEdit, TomlTable } from "@rthooks/toml";
import { type ContainerdRuntime, listRuntimes, RUNC_TYPE, RUNTIMES } from "./containerd-runtimes.ts";
import type { PlannedEdit } from "./patch.ts";

const KEY = "base_runtime_spec";

/** Sets the base spec for every runc runtime that has none. The error is one line. */
export function planAddOciHook(
  layers: ContainerdLayers,
  main: ConfigDocument,
  baseSpecPath: string,
): Result<readonly PlannedEdit[], string> {
  const runtimes = listRuntimes(layers);
  const runc = runtimes.filter(({ isRunc }) => isRunc);
  // Runtimes with another base spec keep it; one run of the command per base spec adds the hook to it.
  const hasOther = ({ table }: ContainerdRuntime): boolean =>
    table[KEY] !== undefined && table[KEY] !== "" && table[KEY] !== baseSpecPath;
  const other = runc.find(hasOther);
  if (other !== undefined && runc.every(hasOther)) {
    const own = String(other.table[KEY]);
    return err(
      `runtime ${JSON.stringify(other.name)} has its own base spec ${own}: use --base-spec ${own} to add the hook to it`,
    );
  }
  if (layers.rules !== "1" && toVersion(main.table) < 2) {
    return err(
      "containerd 2.x does not read CRI's tables from a file of version 1: migrate the file first with `containerd config migrate`",
    );
  }
  // In containerd 1.x only the last table of runtimes counts.
  const target = layers.rules === "1" ? (layers.contributors("runtime").at(-1) ?? main) : main;
  const edits = runc
    .filter((runtime) => runtime.decidingFile !== undefined && !hasOther(runtime))
    .map(({ name, decidingFile }) => toSet(layers, decidingFile ?? target, name, [[KEY, baseSpecPath]]));
  const builtIn = runtimes.find(({ name }) => name === "runc");
  if (builtIn === undefined || builtIn.decidingFile === undefined) {
    // containerd's built-in runtime: a table in a file replaces all of it, so the table needs the type.
    const entries = [
      ["runtime_type", RUNC_TYPE],
      [KEY, baseSpecPath],
    ] as const; // const: pairs
    return ok([...edits, toSet(layers, target, "runc", entries)]);
  }
  if (runc.length === 0) {
    return err("no runtime of this file is runc: a base spec can add the hook to runc containers only");
  }
  return ok(edits);
}

/** Removes the base spec from every file that names it, including overridden ones. */
export function planRemoveOciHook(layers: ContainerdLayers, baseSpecPath: string): readonly PlannedEdit[] {
  return layers.documents.flatMap((document) => {
    const tables = tableAt(layers.tableIn("runtime", document) ?? {}, ...RUNTIMES);
    return Object.entries(tables).flatMap(([name, table]) =>
      isTable(table) && table[KEY] === baseSpecPath ? [removeBaseSpec(layers, document, name, table)] : [],
    );
  });
}

/** An added key is the last one of its table; any other was there before, empty as in containerd's defaults. */
function removeBaseSpec(
  layers: ContainerdLayers,
  document: ConfigDocument,
  name: string,
  table: TomlTable,
): PlannedEdit {
  const keys = Object.keys(table).filter((key) => !isTable(table[key]));
  return keys.length > 1 && keys.at(-1) === KEY
    ? { path: document.path, edit: { kind: "remove", table: tablePath(layers, document, name), key: KEY } }
    : toSet(layers, document, name, [[KEY, ""]]);
}

function toSet(
  layers: ContainerdLayers,
  document: ConfigDocument,
  name: string,
  entries: Extract<TomlEdit, { kind: "set" }>["entries"],
): PlannedEdit {
  return { path: document.path, edit: { kind: "set", table: tablePath(layers, document, name), entries } };
}

const RUNTIME: ContainerdPlugin = "runtime";

const tablePath = (layers: ContainerdLayers, document: ConfigDocument, name: string): readonly string[] => [
  "plugins",
  layers.nameOf(RUNTIME, document),
  ...RUNTIMES,
  name,
];

/** Whether every runc runtime has a base spec, and at least one has this one. */
export function hasBaseSpecs(layers: ContainerdLayers, baseSpecPath: string): boolean {
  const specs = listRuntimes(layers)
    .filter(({ isRunc }) => isRunc)
    .map(({ table }) => table[KEY]);
  return specs.includes(baseSpecPath) && specs.every((spec) => typeof spec === "string" && spec !== "");
}
