// SPDX-License-Identifier: Apache-2.0
// k3s and RKE2 generate containerd's file at each start, with directories of their release in it. A lasting change goes
// into a drop-in file, which newer releases import, or into a template that includes the built-in one (docs.k3s.io,
// advanced, "Configuring containerd").

import { err, ok, type Result } from "@rthooks/result";
import {
  type ConfigDocument,
  guessRules,
  layerContainerd,
  mergeTables,
  type NodeFiles,
  readConfigTree,
  readDocument,
  textsOf,
  toDirectory,
  withNewFile,
} from "@rthooks/runtime-config";
import { editToml, type TomlEdit } from "@rthooks/toml";
import { parseConfigFile } from "./edit-config-file.ts";
import { BASE_LINE, includesBase, maskTemplate } from "./go-template.ts";
import { nriDefaults } from "./nri-edits.ts";
import {
  type ContainerdPatch,
  type FileChange,
  type FilePlan,
  type PatchError,
  rejectPatch,
} from "./patch.ts";
import { planContainerd } from "./patch-containerd.ts";

const DROP_IN = "tetragon.toml";

/** The directory of containerd's files, if `path` is one of them: the generated file, a template or a drop-in file. */
export function findRancherDir(path: string): string | undefined {
  return /^(.*\/agent\/etc\/containerd)\/(?:config\.toml|config(?:-v\d+)?\.toml\.tmpl|config(?:-v\d+)?\.toml\.d\/[^/]+)$/.exec(
    path,
  )?.[1];
}

/** The file to edit: a drop-in file if the generated file imports some, else the template. */
export function findRancherEditPath(files: NodeFiles, directory: string): string {
  const rendered = readDocument(files, `${directory}/config.toml`);
  const table = rendered !== undefined && "table" in rendered ? rendered.table : {};
  const dropIns = findDropInDirectory(textsOf(table["imports"]), directory);
  if (dropIns !== undefined) return `${dropIns}/${DROP_IN}`;
  return `${directory}/${toStem(findVersion(files, directory, table["version"]))}.tmpl`;
}

/** From version 3 on, the version of the configuration is part of the file name. */
const toStem = (version: number): string => (version >= 3 ? `config-v${version}.toml` : "config.toml");

interface Rancher {
  readonly files: NodeFiles;
  readonly directory: string;
  readonly release: string | undefined;
}

/** Paths in the plan are as the node sees them. */
export function planRancher(rancher: Rancher, patch: ContainerdPatch): Result<FilePlan, PatchError> {
  const { files, directory, release } = rancher;
  const mainPath = `${directory}/config.toml`;
  const rendered = readDocument(files, mainPath);
  if (rendered !== undefined && "problem" in rendered) {
    return rejectPatch(mainPath, rendered.problem);
  }
  const version = findVersion(files, directory, rendered?.table["version"]);
  const stem = toStem(version);
  const templatePath = `${directory}/${stem}.tmpl`;
  const template = readTemplate(files, templatePath);
  if (!template.ok) return template;

  // The template does not include the built-in one: it is the whole configuration.
  if (template.value !== undefined && !template.value.hasBase) {
    const { document, unmask } = template.value;
    const { documents } = readConfigTree(files, templatePath, document);
    const planned = planContainerd({ documents, release }, patch);
    return planned.ok ? ok(unmaskPlan(planned.value, templatePath, unmask)) : planned;
  }

  const own = template.value?.document.table ?? {};
  const merged = mergeTables(rendered?.table ?? { version }, own);
  const imports = [...new Set([...textsOf(rendered?.table["imports"]), ...textsOf(own["imports"])])];
  const main: ConfigDocument = { path: mainPath, text: "", table: { ...merged, imports } };
  const dropIns = findDropInDirectory(imports, directory);
  if (dropIns !== undefined) return planDropIn(rancher, main, dropIns, patch);

  const before = template.value?.text;
  const canAppend = patch.kind === "enable-nri" && isWithoutNri(main);
  if (canAppend && patch.requirePlugin === undefined) {
    const table = ["plugins", "io.containerd.nri.v1.nri"];
    return editTemplate(templatePath, before, [{ kind: "set", table, entries: nriDefaults }]);
  }
  // The built-in template has the table already, and TOML allows it once per file: set it in an imported file.
  const pattern = `${directory}/${stem}.d/*.toml`;
  const imported = { ...main, table: { ...merged, imports: [...imports, pattern] } };
  const planned = planDropIn(rancher, imported, toDirectory(pattern), patch);
  if (!planned.ok || planned.value.changes.length === 0) return planned;
  const edited = editTemplate(templatePath, before, [
    { kind: "add", table: [], key: "imports", texts: [pattern] },
  ]);
  if (!edited.ok) return edited;
  return ok({ ...planned.value, changes: [...edited.value.changes, ...planned.value.changes] });
}

function isWithoutNri(main: ConfigDocument): boolean {
  const layers = layerContainerd([main], guessRules([main]));
  return layers.contributors("nri").length === 0 && layers.disabledIn("nri", main).length === 0;
}

function findVersion(files: NodeFiles, directory: string, rendered: unknown): number {
  if (typeof rendered === "number") return rendered;
  return files.kind(`${directory}/config-v3.toml.tmpl`) === undefined ? 2 : 3;
}

interface Template {
  readonly text: string;
  readonly hasBase: boolean;
  readonly document: ConfigDocument;
  unmask(text: string): string;
}

function readTemplate(files: NodeFiles, path: string): Result<Template | undefined, PatchError> {
  const read = files.readText(path);
  if (read === undefined) return ok(undefined);
  if ("problem" in read) return rejectPatch(path, read.problem);
  const { text, unmask } = maskTemplate(read.text);
  const parsed = parseConfigFile(path, text);
  if (!parsed.ok) {
    const message =
      `unsupported template actions: make the change by hand, or begin the template with ${BASE_LINE.trim()} ` +
      "and add only your own settings after it";
    return read.text.includes("{{") ? rejectPatch(path, message) : parsed;
  }
  return ok({ text: read.text, hasBase: includesBase(read.text), document: parsed.value, unmask });
}

function editTemplate(
  path: string,
  before: string | undefined,
  edits: readonly TomlEdit[],
): Result<FilePlan, PatchError> {
  const { text, unmask } = maskTemplate(before ?? BASE_LINE);
  const edited = editToml(text, edits);
  if (!edited.ok) return err({ kind: "toml", path, error: edited.error });
  const after = unmask(edited.value);
  return ok({ changes: after === before ? [] : [{ path, before, after }], notes: [] });
}

function unmaskPlan(plan: FilePlan, path: string, unmask: (text: string) => string): FilePlan {
  const toChange = (change: FileChange): FileChange =>
    change.path === path
      ? { path, before: unmask(change.before ?? ""), after: unmask(change.after) }
      : change;
  return { ...plan, changes: plan.changes.map(toChange) };
}

/** The directory of drop-in files that the generated file imports. */
function findDropInDirectory(imports: readonly string[], directory: string): string | undefined {
  const pattern = imports.find((one) => one.startsWith(`${directory}/`) && one.endsWith("/*.toml"));
  return pattern === undefined ? undefined : toDirectory(pattern);
}

function planDropIn(
  { files, release }: Rancher,
  main: ConfigDocument,
  directory: string,
  patch: ContainerdPatch,
): Result<FilePlan, PatchError> {
  const path = `${directory}/${DROP_IN}`;
  const isNew = files.kind(path) === undefined;
  const { documents } = readConfigTree(isNew ? withNewFile(files, path) : files, main.path, main);
  const isWritable = (one: string): boolean => one !== main.path;
  const planned = planContainerd({ documents, release, dropIn: { path, isWritable } }, patch);
  if (!planned.ok) return planned;
  const toChange = (change: FileChange): FileChange =>
    isNew && change.path === path ? { ...change, before: undefined } : change;
  return ok({ ...planned.value, changes: planned.value.changes.map(toChange) });
}
