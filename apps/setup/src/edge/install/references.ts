// SPDX-License-Identifier: Apache-2.0
// References to the installed hook: files in the directories where runtimes are configured, files that this program has
// written, and running NRI plugins. The written files are recorded beside the hook, because a directory that was named
// by a flag is not found in any configuration.

import { readdir, readFile, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isJsonObject } from "@rthooks/result";
import { findInRoot, openNodeFiles } from "@rthooks/runtime-config/files";
import { findReferencingFiles, isReferencing } from "../../core/find-references.ts";
import type { NriPluginProcess } from "../../core/nri-plugin-process.ts";
import { findNriPlugins } from "../node/find-nri-plugins.ts";
import { isThisProcess } from "../node/this-process.ts";
import { placeText } from "./place-file.ts";

export interface InstalledProgram {
  /** As this program sees it. */
  readonly localPath: string;
  /** As the host sees it. */
  readonly hostPath: string;
  readonly hostRoot: string;
}

const SUFFIX = ".callers";
const listPath = (localPath: string): string => join(dirname(localPath), `.${basename(localPath)}${SUFFIX}`);

/** Needs the lock of the program's directory. */
export async function recordReference(localPath: string, path: string): Promise<void> {
  const known = await readRecorded(listPath(localPath));
  if (known.includes(path)) return;
  const text = `${JSON.stringify({ callers: [...known, path] })}\n`;
  placeText(listPath(localPath), text, { mode: 0o644 });
}

export const forgetReferences = (localPath: string): Promise<void> =>
  rm(listPath(localPath), { force: true });

/** Of every hook in the directory, because a loader is shared by all of them. */
async function readAllRecorded(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch((): string[] => []);
  const lists = names.filter((name) => name.startsWith(".") && name.endsWith(SUFFIX));
  return (await Promise.all(lists.map((name) => readRecorded(join(directory, name))))).flat();
}

async function readRecorded(path: string): Promise<readonly string[]> {
  try {
    const json: unknown = JSON.parse(await readFile(path, "utf8"));
    const list: unknown = isJsonObject(json) ? json["callers"] : undefined;
    return Array.isArray(list) ? list.filter((path) => typeof path === "string") : [];
  } catch {
    return [];
  }
}

/** One text per reference, for people; the file `except` is not counted. */
export async function findReferences(hook: InstalledProgram, except?: string): Promise<readonly string[]> {
  const plugins = findPluginsWith(hook).map(({ pid, command }) => `NRI plugin with pid ${pid} (${command})`);
  return [...(await findConfigs(hook, hook, except)), ...plugins];
}

/** Whether a hook is run through this loader, which was installed with `hook`. */
export async function isLoaderInUse(hook: InstalledProgram, loader: InstalledProgram): Promise<boolean> {
  // The command line of a plugin does not show the loader that it uses for the hook.
  return findPluginsWith(hook).length > 0 || (await findConfigs(hook, loader)).length > 0;
}

const findPluginsWith = (hook: InstalledProgram): readonly NriPluginProcess[] =>
  findNriPlugins(hook.hostRoot).filter(
    ({ pid, hook: called }) =>
      called !== null && createMatch(hook)(called) && !isThisProcess(hook.hostRoot, pid),
  );

function createMatch({ localPath, hostPath, hostRoot }: InstalledProgram): (path: string) => boolean {
  const real = toReal(localPath);
  return (path) => path === hostPath || (path.startsWith("/") && findInRoot(hostRoot, path) === real);
}

async function findConfigs(
  hook: InstalledProgram,
  program: InstalledProgram,
  except?: string,
): Promise<readonly string[]> {
  const { hostRoot, localPath } = program;
  const isTarget = createMatch(program);
  const isTargetHere = (path: string): boolean => isTarget(path) || path === localPath;
  // Keyed by the resolved path, so that a file that is found twice is named once.
  const found = new Map<string, string>();
  for (const path of findReferencingFiles(openNodeFiles(hostRoot), isTarget)) {
    found.set(findInRoot(hostRoot, path) ?? path, path);
  }
  const own = openNodeFiles("/");
  for (const path of await readAllRecorded(dirname(hook.localPath))) {
    if (!found.has(toReal(path)) && isReferencing(own, path, isTargetHere)) found.set(toReal(path), path);
  }
  if (except !== undefined) found.delete(toReal(except));
  return [...found.values()];
}

const toReal = (path: string): string => findInRoot("/", path) ?? path;
