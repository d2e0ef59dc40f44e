// SPDX-License-Identifier: Apache-2.0
// What calls the installed hook: in the places where runtimes are configured, in those that this program has written
// to, and running NRI plugins. The last ones are kept in a file beside the hook, since a directory named by a flag is
// found nowhere else.

import { readdir, readFile, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { findInRoot, openNodeFiles } from "@rthooks/runtime-config/files";
import { isJsonObject } from "../../core/exact-json.ts";
import { findCallers, isCaller } from "../../core/find-callers.ts";
import type { NriPluginProcess } from "../../core/nri-plugin-process.ts";
import { findNriPlugins } from "../node/find-nri-plugins.ts";
import { stageText } from "./place-file.ts";

export interface InstalledProgram {
  /** As this program sees it. */
  readonly localPath: string;
  /** As the host sees it. */
  readonly hostPath: string;
  readonly hostRoot: string;
}

const SUFFIX = ".callers";
const listPath = (localPath: string): string => join(dirname(localPath), `.${basename(localPath)}${SUFFIX}`);

/** The caller has the lock of the program's directory. */
export async function recordCaller(localPath: string, caller: string): Promise<void> {
  const known = await readRecorded(listPath(localPath));
  if (known.includes(caller)) return;
  const text = `${JSON.stringify({ callers: [...known, caller] })}\n`;
  await (await (await stageText(text, listPath(localPath), { mode: 0o644 })).publish()).settle();
}

export const forgetCallers = (localPath: string): Promise<void> => rm(listPath(localPath), { force: true });

/** Of every hook in the directory: a loader serves them all. */
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

/** One text for each, for people; `except` is a file that does not count. */
export async function findCallersOf(hook: InstalledProgram, except?: string): Promise<readonly string[]> {
  const plugins = findPluginsOf(hook).map(({ pid, command }) => `NRI plugin with pid ${pid} (${command})`);
  return [...(await findConfigs(hook, hook, except)), ...plugins];
}

/** Whether hooks are run through this loader, which was installed with `hook`. */
export async function isLoaderInUse(hook: InstalledProgram, loader: InstalledProgram): Promise<boolean> {
  // A plugin does not say which loader it has found for the hook.
  return findPluginsOf(hook).length > 0 || (await findConfigs(hook, loader)).length > 0;
}

const findPluginsOf = (hook: InstalledProgram): readonly NriPluginProcess[] =>
  findNriPlugins(hook.hostRoot).filter(
    (plugin) => plugin.pid !== process.pid && plugin.hook !== null && createMatch(hook)(plugin.hook),
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
  // By where they really lie, so that one that is found by two ways is named once.
  const found = new Map<string, string>();
  for (const path of findCallers(openNodeFiles(hostRoot), isTarget)) {
    found.set(findInRoot(hostRoot, path) ?? path, path);
  }
  const own = openNodeFiles("/");
  for (const path of await readAllRecorded(dirname(hook.localPath))) {
    if (!found.has(toReal(path)) && isCaller(own, path, isTargetHere)) found.set(toReal(path), path);
  }
  if (except !== undefined) found.delete(toReal(except));
  return [...found.values()];
}

const toReal = (path: string): string => findInRoot("/", path) ?? path;
