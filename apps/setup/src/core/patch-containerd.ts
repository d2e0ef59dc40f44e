// SPDX-License-Identifier: Apache-2.0
// Plans a patch of containerd's configuration: each edit is made in the file where it takes effect.

import { ok, type Result } from "@rthooks/result";
import {
  type ConfigDocument,
  type ContainerdLayers,
  findRules,
  layerContainerd,
  type Rules,
  toVersion,
} from "@rthooks/runtime-config";
import { hasBaseSpecs, planAddOciHook, planRemoveOciHook } from "./base-spec-edits.ts";
import { type DropIn, redirectEdits } from "./drop-in-edits.ts";
import { editConfigFile } from "./edit-config-file.ts";
import { isNriOff, isNriOn, planDisableNri, planEnableNri } from "./nri-edits.ts";
import {
  type ContainerdPatch,
  type FileChange,
  type FilePlan,
  type PatchError,
  type PlannedEdit,
  rejectPatch,
} from "./patch.ts";
import { findNotes } from "./patch-notes.ts";

export interface ContainerdFiles {
  /** The main file first, then its imports, as `readConfigTree` returns them. */
  readonly documents: readonly ConfigDocument[];
  /** Of containerd, such as "2.1.9"; undefined: the change has to take effect in every release that reads the files. */
  readonly release: string | undefined;
  /** Receives the edits of generated files. */
  readonly dropIn?: DropIn;
}

export function planContainerd(
  { documents, release, dropIn }: ContainerdFiles,
  patch: ContainerdPatch,
): Result<FilePlan, PatchError> {
  const [main] = documents;
  if (main === undefined) return ok({ changes: [], notes: [] });
  for (const document of documents) {
    const supported = checkVersion(document);
    if (!supported.ok) return supported;
  }
  const allRules = findAllRules(documents, release);
  let current = documents;
  for (const rules of allRules) {
    const changed = applyPatch(current, rules, patch, dropIn);
    if (!changed.ok) return changed;
    current = changed.value;
  }
  for (const rules of allRules) {
    if (isInEffect(layerContainerd(current, rules), patch)) continue;
    const why = "with the imported files, no change takes effect in every release of containerd";
    return rejectPatch(main.path, `${why}: set --containerd-version to the installed one`);
  }
  const changes = current.flatMap(({ path, text }, at): readonly FileChange[] => {
    const before = documents[at]?.text ?? "";
    return text === before ? [] : [{ path, before, after: text }];
  });
  const [rules = "1"] = allRules;
  return ok({ changes, notes: findNotes(layerContainerd(documents, rules), main, patch) });
}

const MAX_VERSION = 4;

function checkVersion({ path, table }: ConfigDocument): Result<void, PatchError> {
  const { version = 1 } = table;
  if (typeof version !== "number") return rejectPatch(path, "the configuration version is not a number");
  return version >= 0 && version <= MAX_VERSION
    ? ok(undefined)
    : rejectPatch(path, `configuration version ${version} is not supported: it must be 1 to ${MAX_VERSION}`);
}

/** The merge rules under which the change has to take effect. */
function findAllRules(documents: readonly ConfigDocument[], release: string | undefined): readonly Rules[] {
  const known = findRules(release);
  if (known !== undefined) return [known];
  if (documents.some(({ table }) => toVersion(table) >= 3)) return ["2.0"];
  return documents.length > 1 ? ["1", "2.0"] : ["1"];
}

/** The documents after the patch, by one set of merge rules. */
function applyPatch(
  documents: readonly ConfigDocument[],
  rules: Rules,
  patch: ContainerdPatch,
  dropIn: DropIn | undefined,
): Result<readonly ConfigDocument[], PatchError> {
  const layers = layerContainerd(documents, rules);
  const [main] = documents;
  if (main === undefined) return ok(documents);
  const planned = planEdits(layers, main, patch);
  if (!planned.ok) return rejectPatch(main.path, planned.error);
  const redirected = dropIn === undefined ? planned : redirectEdits(layers, planned.value, dropIn);
  if (!redirected.ok) return redirected;
  const changed: ConfigDocument[] = [];
  for (const document of documents) {
    const own = redirected.value.filter(({ path }) => path === document.path);
    const edited = editConfigFile(
      document,
      own.map(({ edit }) => edit),
    );
    if (!edited.ok) return edited;
    changed.push(edited.value);
  }
  return ok(changed);
}

/** The error is one line. */
function planEdits(
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

function isInEffect(layers: ContainerdLayers, patch: ContainerdPatch): boolean {
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
