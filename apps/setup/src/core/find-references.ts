// SPDX-License-Identifier: Apache-2.0
// The files that make a runtime call an installed program, in every directory where a runtime of this node may be
// configured. Without the program, the containers of that runtime fail to start.

import { isJsonObject } from "@rthooks/result";
import { isTable, type NodeFiles, readConfigTree } from "@rthooks/runtime-config";
import { DEFAULT_CRIO_CONFIG, readCrioConfig, readPodmanConfig } from "./crio-config.ts";
import { listHookFiles, readJson } from "./read-json.ts";
import { listRuntimePlaces } from "./runtime-places.ts";

/** Paths of the files that call a program for whose path `isTarget` is true; each path once. */
export function findReferencingFiles(
  files: NodeFiles,
  isTarget: (path: string) => boolean,
): readonly string[] {
  return [...new Set([...listHookPaths(files), ...listBaseSpecs(files)])].filter((path) =>
    isReferencing(files, path, isTarget),
  );
}

/** Whether a hook file (its `hook`) or an OCI spec (any stage of its `hooks`) calls such a program. */
export function isReferencing(files: NodeFiles, path: string, isTarget: (path: string) => boolean): boolean {
  const json = readJson(files, path);
  if (json === undefined) return false;
  const stages = isJsonObject(json["hooks"]) ? Object.values(json["hooks"]) : [];
  return [json["hook"], ...stages.flat()].some((hook) => wordsOf(hook).some(isTarget));
}

/** Includes the words within an argument, for the command line of a shell. */
function wordsOf(hook: unknown): readonly string[] {
  if (!isJsonObject(hook)) return [];
  const args: readonly unknown[] = Array.isArray(hook["args"]) ? hook["args"] : [];
  return [hook["path"], ...args].flatMap((word) =>
    typeof word === "string" ? [word, ...word.split(/\s+/)] : [],
  );
}

function listHookPaths(files: NodeFiles): readonly string[] {
  const directories = new Set([
    ...readCrioConfig(files, DEFAULT_CRIO_CONFIG).hooksDirs,
    ...readPodmanConfig(files).hooksDirs,
  ]);
  return [...directories].flatMap((directory) =>
    listHookFiles(files, directory).map((name) => `${directory}/${name}`),
  );
}

/** The base specs in every containerd configuration, including overridden ones. */
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
