// SPDX-License-Identifier: Apache-2.0
// What calls an installed program, in all places where a runtime of this node could be configured: with the program
// gone, no container of that runtime would start.

import { isTable, type NodeFiles, readConfigTree } from "@rthooks/runtime-config";
import { DEFAULT_CRIO_CONFIG, readCrioConfig, readPodmanConfig } from "./crio-config.ts";
import { isJsonObject, parseExactJson } from "./exact-json.ts";
import { listRuntimePlaces } from "./runtime-places.ts";

/** Paths of the files that call one of the programs, each once; `isTarget` knows a program by its path. */
export function findCallers(files: NodeFiles, isTarget: (path: string) => boolean): readonly string[] {
  return [...new Set([...listHookFiles(files), ...listBaseSpecs(files)])].filter((path) =>
    isCaller(files, path, isTarget),
  );
}

/** A hooks directory's file (its `hook`), or an OCI spec (any stage of its `hooks`). */
export function isCaller(files: NodeFiles, path: string, isTarget: (path: string) => boolean): boolean {
  const read = files.readText(path);
  const json = read !== undefined && "text" in read ? parseExactJson(read.text) : undefined;
  if (json === undefined) return false;
  const stages = isJsonObject(json["hooks"]) ? Object.values(json["hooks"]) : [];
  return [json["hook"], ...stages.flat()].some((hook) => wordsOf(hook).some(isTarget));
}

/** Also those within an argument: a shell's command line. */
function wordsOf(hook: unknown): readonly string[] {
  if (!isJsonObject(hook)) return [];
  const args: readonly unknown[] = Array.isArray(hook["args"]) ? hook["args"] : [];
  return [hook["path"], ...args].flatMap((word) =>
    typeof word === "string" ? [word, ...word.split(/\s+/)] : [],
  );
}

function listHookFiles(files: NodeFiles): readonly string[] {
  const directories = new Set([
    ...readCrioConfig(files, DEFAULT_CRIO_CONFIG).hooksDirs,
    ...readPodmanConfig(files).hooksDirs,
  ]);
  return [...directories].flatMap((directory) =>
    files
      .list(directory)
      .filter((name) => name.endsWith(".json"))
      .map((name) => `${directory}/${name}`),
  );
}

/** Of every containerd, whether another file of its configuration overrides them or not. */
function listBaseSpecs(files: NodeFiles): readonly string[] {
  return listRuntimePlaces(files)
    .filter(({ kind }) => kind === "containerd")
    .flatMap(({ config }) => readConfigTree(files, config).documents)
    .flatMap(({ table }) => findBaseSpecs(table));
}

function findBaseSpecs(value: unknown): readonly string[] {
  if (!isTable(value)) return [];
  return Object.entries(value).flatMap(([key, child]) =>
    key === "base_runtime_spec" && typeof child === "string" && child !== "" ? [child] : findBaseSpecs(child),
  );
}
