// SPDX-License-Identifier: Apache-2.0
// Changes of containerd's configuration file.

import { err, ok, type Result } from "@rthooks/result";
import { editToml, parseTomlValues, type TomlEdit, type TomlError, type TomlTable } from "@rthooks/toml";
import { type ContainerdNames, findContainerdNames } from "./containerd-names.ts";
import type { Patched } from "./patch.ts";
import { findValue, isTable, textsOf } from "./toml-document.ts";

export type ContainerdPatch =
  | {
      readonly kind: "enable-nri";
      /** No container starts on a node without this plugin. */
      readonly requirePlugin: string | undefined;
      /** "2.2.0"; undefined where it is not known. */
      readonly containerdVersion: string | undefined;
    }
  | { readonly kind: "disable-nri" }
  | { readonly kind: "add-oci-hook"; readonly baseSpecPath: string }
  | { readonly kind: "remove-oci-hook"; readonly baseSpecPath: string };

export type PatchError =
  | { readonly kind: "toml"; readonly error: TomlError }
  | { readonly kind: "refused"; readonly message: string };

/** The table that containerd's own `config default` writes, switched on. */
const nriDefaults: readonly (readonly [string, string | boolean])[] = [
  ["disable", false],
  ["disable_connections", false],
  ["plugin_config_path", "/etc/nri/conf.d"],
  ["plugin_path", "/opt/nri/plugins"],
  ["plugin_registration_timeout", "5s"],
  ["plugin_request_timeout", "2s"],
  ["socket_path", "/var/run/nri/nri.sock"],
];

/** A DNS name, so that the forms with a scope behind a slash are annotation keys too. */
const TOLERATION_ANNOTATION = "tolerate-missing-plugins.rthooks.v1";

export function patchContainerd(text: string, patch: ContainerdPatch): Result<Patched, PatchError> {
  const values = parseTomlValues(text.replace(/^\ufeff/, ""));
  if (!values.ok) return err({ kind: "toml", error: values.error });
  // containerd takes a file without a version for one of version 1.
  const { version = 1 } = values.value;
  const names = typeof version === "number" ? findContainerdNames(version) : undefined;
  if (names === undefined) {
    const shown = typeof version === "number" ? String(version) : "that is no number";
    return refuse(`configuration version ${shown} is not known here (1 to 4 are)`);
  }
  const edits = toEdits(values.value, names, patch);
  if (!edits.ok) return edits;
  const edited = editToml(text, edits.value);
  if (!edited.ok) return err({ kind: "toml", error: edited.error });
  return ok({ text: edited.value, notes: findNotes(text, values.value, names, patch) });
}

const refuse = (message: string): Result<never, PatchError> => err({ kind: "refused", message });

type Edits = Result<readonly TomlEdit[], PatchError>;

function toEdits(values: TomlTable, names: ContainerdNames, patch: ContainerdPatch): Edits {
  switch (patch.kind) {
    case "enable-nri":
      return enableNri(values, names, patch);
    case "disable-nri":
      return ok(
        textsOf(values["disabled_plugins"]).includes(names.nriId)
          ? []
          : [{ kind: "set", table: names.nri, entries: [["disable", true]] }],
      );
    case "add-oci-hook":
      return addOciHook(values, names, patch.baseSpecPath);
    case "remove-oci-hook":
      return ok(
        findRuntimes(values, names)
          .filter(({ table }) => table["base_runtime_spec"] === patch.baseSpecPath)
          .map((runtime) => removeBaseSpec(names, runtime)),
      );
  }
}

function enableNri(
  values: TomlTable,
  names: ContainerdNames,
  { requirePlugin, containerdVersion }: Extract<ContainerdPatch, { kind: "enable-nri" }>,
): Edits {
  const existing = findValue(values, names.nri);
  const edits: TomlEdit[] = [{ kind: "drop", table: [], key: "disabled_plugins", text: names.nriId }];
  if (existing === undefined) edits.push({ kind: "set", table: names.nri, entries: nriDefaults });
  else {
    const isClosed = isTable(existing) && existing["disable_connections"] === true;
    edits.push({
      kind: "set",
      table: names.nri,
      entries: [["disable", false], ...(isClosed ? [["disable_connections", false] as const] : [])],
    });
  }
  if (requirePlugin === undefined) return ok(edits);
  if (containerdVersion === undefined) {
    return refuse(
      "--require-plugin needs containerd 2.2 or later: tell its version with --containerd-version",
    );
  }
  if (!hasValidator(containerdVersion)) {
    return refuse(
      `containerd ${containerdVersion} has no validator that could require a plugin (2.2 has): without --require-plugin, ` +
        "containers start unhooked while the plugin is away",
    );
  }
  const validator = [...names.nri, "default_validator"];
  const table = findValue(values, validator);
  const toleration = isTable(table) ? table["tolerate_missing_plugins_annotation"] : undefined;
  edits.push({ kind: "set", table: validator, entries: [["enable", true]] });
  edits.push({ kind: "add", table: validator, key: "required_plugins", texts: [requirePlugin] });
  if (typeof toleration !== "string" || toleration === "") {
    edits.push({
      kind: "set",
      table: validator,
      entries: [["tolerate_missing_plugins_annotation", TOLERATION_ANNOTATION]],
    });
  }
  return ok(edits);
}

/** Built into NRI 0.10 and later, which containerd has since 2.2.0. */
function hasValidator(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  return major > 2 || (major === 2 && minor >= 2);
}

const RUNC_TYPE = "io.containerd.runc.v2";

interface Runtime {
  readonly name: string;
  readonly table: TomlTable;
}

function findRuntimes(values: TomlTable, names: ContainerdNames): readonly Runtime[] {
  const runtimes = findValue(values, names.runtimes);
  if (!isTable(runtimes)) return [];
  return Object.entries(runtimes).flatMap(([name, table]) => (isTable(table) ? [{ name, table }] : []));
}

/** The table of the built-in runtime may leave the type to containerd 2.x, which merges its own into it. */
const isRunc = ({ name, table }: Runtime): boolean =>
  String(table["runtime_type"] || (name === "runc" ? RUNC_TYPE : "")).startsWith("io.containerd.runc.");

function addOciHook(values: TomlTable, names: ContainerdNames, baseSpecPath: string): Edits {
  const all = findRuntimes(values, names);
  const runc = all.filter(isRunc);
  const other = runc.find(({ table }) => {
    const own = table["base_runtime_spec"];
    return own !== undefined && own !== "" && own !== baseSpecPath;
  });
  if (other !== undefined) {
    const own = String(other.table["base_runtime_spec"]);
    return refuse(
      `runtime ${JSON.stringify(other.name)} has a base spec of its own, ${own}: --base-spec ${own} adds the hook to that one`,
    );
  }
  // containerd's built-in runtime; a table of the file replaces it whole, so the type has to be in it.
  if (!all.some(({ name }) => name === "runc")) {
    const entries = [
      ["runtime_type", RUNC_TYPE],
      ["base_runtime_spec", baseSpecPath],
    ] as const; // const: pairs
    return ok([
      ...runc.map(({ name }) => toBaseSpecEdit(names, name, baseSpecPath)),
      { kind: "set", table: [...names.runtimes, "runc"], entries },
    ]);
  }
  if (runc.length === 0)
    return refuse("no runtime of this file is runc: the hook can be given to runc's containers only");
  return ok(runc.map(({ name }) => toBaseSpecEdit(names, name, baseSpecPath)));
}

/** What was added is the last key of its table; any other stood there before, empty as in containerd's defaults. */
function removeBaseSpec(names: ContainerdNames, { name, table }: Runtime): TomlEdit {
  const keys = Object.keys(table).filter((key) => !isTable(table[key]));
  return keys.length > 1 && keys.at(-1) === "base_runtime_spec"
    ? { kind: "remove", table: [...names.runtimes, name], key: "base_runtime_spec" }
    : toBaseSpecEdit(names, name, "");
}

const toBaseSpecEdit = (names: ContainerdNames, name: string, baseSpecPath: string): TomlEdit => ({
  kind: "set",
  table: [...names.runtimes, name],
  entries: [["base_runtime_spec", baseSpecPath]],
});

function findNotes(
  text: string,
  values: TomlTable,
  names: ContainerdNames,
  patch: ContainerdPatch,
): readonly string[] {
  const notes: string[] = [];
  if (text.startsWith("\ufeff")) {
    notes.push("this file begins with a byte order mark: containerd 2.x refuses to read it");
  }
  const imports = textsOf(values["imports"]);
  if (imports.length > 0) {
    notes.push(
      `this file imports ${imports.join(", ")}: what is said there comes after it, and on containerd 1.7 a [plugins.…] table there replaces the one here whole`,
    );
  }
  const disabled = textsOf(values["disabled_plugins"]);
  for (const id of names.criIds) {
    if (disabled.includes(id)) notes.push(`disabled_plugins has ${id}: kubelet cannot use this containerd`);
  }
  if (disabled.includes(names.nriId) && patch.kind === "enable-nri") {
    notes.push(`${names.nriId} is taken out of disabled_plugins`);
  }
  if ((values["version"] ?? 1) === 1) {
    notes.push(
      patch.kind.endsWith("-nri")
        ? "containerd 2.x does not read NRI's table from a file of version 1; there NRI is on by default"
        : "containerd 2.x does not read CRI's tables from a file of version 1: base_runtime_spec has no effect there",
    );
  }
  if (patch.kind === "add-oci-hook" && findRuntimes(values, names).some((runtime) => !isRunc(runtime))) {
    notes.push("runtimes other than runc keep their specs: their containers are not hooked");
  }
  return notes;
}
