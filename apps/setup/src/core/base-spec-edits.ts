// SPDX-License-Identifier: Apache-2.0
// The changes that give containerd's runc containers a base spec, and take it from them, in the files that decide.

import { err, ok, type Result } from "@rthooks/result";
import {
  type ConfigDocument,
  type ContainerdLayers,
  isTable,
  type Plugin,
  tableAt,
  toVersion,
} from "@rthooks/runtime-config";
import type { TomlEdit, TomlTable } from "@rthooks/toml";
import { type ContainerdRuntime, listRuntimes, RUNC_TYPE, RUNTIMES } from "./containerd-runtimes.ts";
import type { PlannedEdit } from "./nri-edits.ts";

const KEY = "base_runtime_spec";

/** The error is a sentence for people. */
export function planAddOciHook(
  layers: ContainerdLayers,
  main: ConfigDocument,
  baseSpecPath: string,
): Result<readonly PlannedEdit[], string> {
  const runtimes = listRuntimes(layers);
  const runc = runtimes.filter(({ isRunc }) => isRunc);
  // Base specs of their own stay: the hook comes into each by a run of its own.
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
  // Where a table of runtimes is, what is not in it is not there in containerd 1.x.
  const home = layers.rules === "1" ? (layers.holdersOf("runtime").at(-1) ?? main) : main;
  const edits = runc
    .filter((runtime) => runtime.decider !== undefined && !hasOther(runtime))
    .map(({ name, decider }) => toSet(layers, decider ?? home, name, [[KEY, baseSpecPath]]));
  const builtIn = runtimes.find(({ name }) => name === "runc");
  if (builtIn === undefined || builtIn.decider === undefined) {
    // containerd's built-in runtime; a table of the file replaces it whole, so the type has to be in it.
    const entries = [
      ["runtime_type", RUNC_TYPE],
      [KEY, baseSpecPath],
    ] as const; // const: pairs
    return ok([...edits, toSet(layers, home, "runc", entries)]);
  }
  if (runc.length === 0) {
    return err("no runtime of this file is runc: a base spec can add the hook to runc containers only");
  }
  return ok(edits);
}

/** From every file that names it, whether that is in force or not. */
export function planRemoveOciHook(layers: ContainerdLayers, baseSpecPath: string): readonly PlannedEdit[] {
  return layers.documents.flatMap((document) => {
    const tables = tableAt(layers.tableIn("runtime", document) ?? {}, ...RUNTIMES);
    return Object.entries(tables).flatMap(([name, table]) =>
      isTable(table) && table[KEY] === baseSpecPath ? [removeBaseSpec(layers, document, name, table)] : [],
    );
  });
}

/** What was added is the last key of its table; any other stood there before, empty as in containerd's defaults. */
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

const RUNTIME: Plugin = "runtime";

const tablePath = (layers: ContainerdLayers, document: ConfigDocument, name: string): readonly string[] => [
  "plugins",
  layers.nameOf(RUNTIME, document),
  ...RUNTIMES,
  name,
];

/** Whether all of runc's containers begin with a base spec, and some with this one. */
export function hasBaseSpecs(layers: ContainerdLayers, baseSpecPath: string): boolean {
  const specs = listRuntimes(layers)
    .filter(({ isRunc }) => isRunc)
    .map(({ table }) => table[KEY]);
  return specs.includes(baseSpecPath) && specs.every((spec) => typeof spec === "string" && spec !== "");
}
