// SPDX-License-Identifier: Apache-2.0
// Changes of containerd's configuration: of the file and of those that it imports, each where the change takes effect.

import { err, ok, type Result } from "@rthooks/result";
import {
  type ConfigDocument,
  type ContainerdLayers,
  findRules,
  findUnread,
  layerContainerd,
  type Rules,
  textsOf,
  toVersion,
} from "@rthooks/runtime-config";
import { editToml, parseTomlValues, type TomlTable, type TomlValue } from "@rthooks/toml";
import { hasBaseSpecs, planAddOciHook, planRemoveOciHook } from "./base-spec-edits.ts";
import { listRuntimes } from "./containerd-runtimes.ts";
import { isNriOff, isNriOn, type PlannedEdit, planDisableNri, planEnableNri } from "./nri-edits.ts";
import type { FileChange, FilePlan, PatchError } from "./patch.ts";

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

export interface ContainerdSource {
  /** The file itself first, then what it imports, as `readConfigTree` gives them. */
  readonly documents: readonly ConfigDocument[];
  /** Of containerd; undefined where it is not known: then the change holds for all that read the files. */
  readonly release: string | undefined;
  /** Where files cannot be changed, since they are made from others: which, and the one that overrides them. */
  readonly dropIn?: { readonly path: string; isWritable(path: string): boolean };
}

/** Its values, for a tree; the error names the place. */
export function parseConfigFile(path: string, text: string): Result<ConfigDocument, PatchError> {
  const values = parseTomlValues(text.replace(/^\ufeff/, ""));
  return values.ok
    ? ok({ path, text, table: values.value })
    : err({ kind: "toml", path, error: values.error });
}

export function planContainerd(
  { documents, release, dropIn }: ContainerdSource,
  patch: ContainerdPatch,
): Result<FilePlan, PatchError> {
  const [main] = documents;
  if (main === undefined) return ok({ changes: [], notes: [] });
  for (const { path, table } of documents) {
    const { version = 1 } = table;
    if (typeof version === "number" && version >= 0 && version <= MAX_VERSION) continue;
    if (typeof version !== "number") return refuse(path, "the configuration version is not a number");
    return refuse(path, `configuration version ${version} is not supported: it must be 1 to ${MAX_VERSION}`);
  }
  let current = documents;
  const allRules = findAllRules(documents, release);
  for (const rules of allRules) {
    const changed = change(current, rules, patch, dropIn);
    if (!changed.ok) return changed;
    current = changed.value;
  }
  for (const rules of allRules) {
    if (isReached(layerContainerd(current, rules), patch)) continue;
    const why = "with the imported files, no change takes effect in every release of containerd";
    return refuse(main.path, `${why}: set --containerd-version to the installed one`);
  }
  const changes = current.flatMap(({ path, text }, at): readonly FileChange[] => {
    const before = documents[at]?.text ?? "";
    return text === before ? [] : [{ path, before, after: text }];
  });
  const [rules = "1"] = allRules;
  return ok({ changes, notes: findNotes(layerContainerd(documents, rules), main, patch) });
}

const MAX_VERSION = 4;

function findAllRules(documents: readonly ConfigDocument[], release: string | undefined): readonly Rules[] {
  const known = findRules(release);
  if (known !== undefined) return [known];
  if (documents.some(({ table }) => toVersion(table) >= 3)) return ["2.0"];
  return documents.length > 1 ? ["1", "2.0"] : ["1"];
}

const refuse = (path: string, message: string): Result<never, PatchError> =>
  err({ kind: "refused", path, message });

/** The documents with the change in them. */
function change(
  documents: readonly ConfigDocument[],
  rules: Rules,
  patch: ContainerdPatch,
  dropIn: ContainerdSource["dropIn"],
): Result<readonly ConfigDocument[], PatchError> {
  const layers = layerContainerd(documents, rules);
  const [main] = documents;
  if (main === undefined) return ok(documents);
  const planned = plan(layers, main, patch);
  if (!planned.ok) return refuse(main.path, planned.error);
  const moved = moveEdits(layers, planned.value, dropIn);
  if (!moved.ok) return moved;
  const changed: ConfigDocument[] = [];
  for (const document of documents) {
    const edits = moved.value.filter(({ path }) => path === document.path).map(({ edit }) => edit);
    if (edits.length === 0) {
      changed.push(document);
      continue;
    }
    const edited = editToml(document.text, edits);
    if (!edited.ok) return err({ kind: "toml", path: document.path, error: edited.error });
    const parsed = parseConfigFile(document.path, edited.value);
    if (!parsed.ok) return parsed;
    changed.push(parsed.value);
  }
  return ok(changed);
}

/** Edits of files that cannot be changed, as edits of the file that overrides them. */
function moveEdits(
  layers: ContainerdLayers,
  edits: readonly PlannedEdit[],
  dropIn: ContainerdSource["dropIn"],
): Result<readonly PlannedEdit[], PatchError> {
  const moved: PlannedEdit[] = [];
  for (const planned of edits) {
    const { path, edit } = planned;
    if (dropIn === undefined || dropIn.isWritable(path)) {
      moved.push(planned);
      continue;
    }
    const [, , ...below] = edit.table;
    const target = layers.documents.find((document) => document.path === dropIn.path);
    const plugin =
      edit.table[1] === layers.nameOf("nri", layers.documents[0] ?? target ?? { path, text: "", table: {} })
        ? "nri"
        : "runtime";
    if (edit.kind !== "set" || target === undefined) {
      return refuse(
        path,
        "is generated by the distribution, and a drop-in file cannot override this setting: change the source of the file",
      );
    }
    if (layers.rules === "1" && plugin === "runtime") {
      return refuse(
        path,
        'is generated by the distribution, and in containerd 1.x a drop-in file would replace the whole CRI table: use a template without {{ template "base" . }}',
      );
    }
    const table = ["plugins", layers.nameOf(plugin, target), ...below];
    // In containerd 1.x the table replaces the earlier one whole, so all of that has to be in it.
    const kept = layers.rules === "1" && below.length === 0 ? toEntries(layers.effective(plugin)) : [];
    const entries = new Map([...kept, ...edit.entries]);
    moved.push({ path: dropIn.path, edit: { kind: "set", table, entries: [...entries] } });
  }
  return ok(moved);
}

const toEntries = (table: TomlTable): readonly (readonly [string, TomlValue])[] =>
  Object.entries(table).flatMap(([key, value]) => {
    const isPlain = typeof value === "string" || typeof value === "boolean" || typeof value === "number";
    return isPlain ? [[key, value] as const] : []; // const: a pair
  });

function plan(
  layers: ContainerdLayers,
  main: ConfigDocument,
  patch: ContainerdPatch,
): Result<readonly PlannedEdit[], string> {
  switch (patch.kind) {
    case "enable-nri":
      return planEnableNri(layers, main, patch);
    case "disable-nri":
      return ok(planDisableNri(layers, main));
    case "add-oci-hook":
      return planAddOciHook(layers, main, patch.baseSpecPath);
    case "remove-oci-hook":
      return ok(planRemoveOciHook(layers, patch.baseSpecPath));
  }
}

function isReached(layers: ContainerdLayers, patch: ContainerdPatch): boolean {
  switch (patch.kind) {
    case "enable-nri":
      return isNriOn(layers, patch.requirePlugin);
    case "disable-nri":
      return isNriOff(layers);
    case "add-oci-hook":
      return hasBaseSpecs(layers, patch.baseSpecPath);
    case "remove-oci-hook":
      return planRemoveOciHook(layers, patch.baseSpecPath).length === 0;
  }
}

function findNotes(
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
