// SPDX-License-Identifier: Apache-2.0
// A change of containerd's configuration as the files of this node need it, by the paths that this program sees.

import { basename, dirname, join, resolve } from "node:path";
import type { Result } from "@rthooks/result";
import type { NodeFiles } from "@rthooks/runtime-config";
import { findInRoot, openNodeFiles } from "@rthooks/runtime-config/files";
import { parseConfigFile } from "../../core/edit-config-file.ts";
import type { ContainerdPatch, FilePlan, PatchError } from "../../core/patch.ts";
import { planNode } from "../../core/plan-node.ts";
import { findRancherDir } from "../../core/plan-rancher.ts";

interface ConfigFile {
  /** As it was given. */
  readonly path: string;
  /** Undefined for a file that is not there. */
  readonly text: string | undefined;
  readonly hostRoot: string;
  /** Of containerd; undefined where it is not known. */
  readonly release: string | undefined;
}

export function planFiles(file: ConfigFile, patch: ContainerdPatch): Result<FilePlan, PatchError> {
  const { path, text, release } = file;
  const { root, nodePath } = findNodePath(file);
  if (findRancherDir(nodePath) === undefined && text !== undefined) {
    // Its error has the place in the file as it was given.
    const main = parseConfigFile(path, text);
    if (!main.ok) return main;
  }
  const toGiven = (found: string): string => (found === nodePath ? path : toLocal(root, found));
  const planned = planNode(
    { files: withText(openNodeFiles(root), nodePath, text), path: nodePath, release },
    patch,
  );
  if (!planned.ok) return { ok: false, error: { ...planned.error, path: toGiven(planned.error.path) } };
  const changes = planned.value.changes.map(({ backupDirectory, ...change }) => ({
    ...change,
    path: toGiven(change.path),
    ...(backupDirectory === undefined || backupDirectory === dirname(change.path)
      ? {}
      : { backupDirectory: toLocal(root, backupDirectory) }),
  }));
  return { ok: true, value: { ...planned.value, changes } };
}

/** Whether the distribution makes the file from others, so that it need not be there to be changed. */
export const isMadeFromOthers = (path: string): boolean => findRancherDir(resolve(path)) !== undefined;

/** The file's path on the node, whose root holds what is imported; the program's own where the file is elsewhere. */
function findNodePath({ path, hostRoot }: ConfigFile): { readonly root: string; readonly nodePath: string } {
  const absolute = resolve(path);
  const root = resolve(hostRoot);
  return root !== "/" && absolute.startsWith(`${root}/`)
    ? { root, nodePath: absolute.slice(root.length) }
    : { root: "/", nodePath: absolute };
}

/** Through the node's own links; a new file is in the directory that they lead to. */
function toLocal(root: string, path: string): string {
  const directory = findInRoot(root, dirname(path)) ?? join(root, dirname(path));
  return findInRoot(root, path) ?? join(directory, basename(path));
}

/** The file as it was read already, whatever its size. */
const withText = (files: NodeFiles, path: string, text: string | undefined): NodeFiles =>
  text === undefined
    ? files
    : { ...files, readText: (asked) => (asked === path ? { text } : files.readText(asked)) };
