// SPDX-License-Identifier: Apache-2.0
// Plans a patch of containerd's configuration; paths in the plan are as this program sees them.

import { dirname, resolve } from "node:path";
import { err, ok, type Result } from "@rthooks/result";
import type { NodeFiles } from "@rthooks/runtime-config";
import { openNodeFiles } from "@rthooks/runtime-config/files";
import { parseConfigFile } from "../../core/edit-config-file.ts";
import type { ContainerdPatch, FilePlan, PatchError } from "../../core/patch.ts";
import { planNode } from "../../core/plan-node.ts";
import { findRancherDir } from "../../core/plan-rancher.ts";
import { toLocalPath } from "../node/local-path.ts";

interface ConfigFile {
  /** The path of --config-file. */
  readonly path: string;
  /** Undefined if the file does not exist. */
  readonly text: string | undefined;
  readonly hostRoot: string;
  /** Of containerd; undefined if it is unknown. */
  readonly release: string | undefined;
}

export function planFiles(file: ConfigFile, patch: ContainerdPatch): Result<FilePlan, PatchError> {
  const { path, text, release } = file;
  const { root, nodePath } = findNodePath(file);
  if (findRancherDir(nodePath) === undefined && text !== undefined) {
    // This error names the path of --config-file.
    const main = parseConfigFile(path, text);
    if (!main.ok) return main;
  }
  const toGiven = (found: string): string => (found === nodePath ? path : toLocalPath(root, found));
  const planned = planNode(
    { files: withText(openNodeFiles(root), nodePath, text), path: nodePath, release },
    patch,
  );
  if (!planned.ok) return err({ ...planned.error, path: toGiven(planned.error.path) });
  const changes = planned.value.changes.map(({ backupDirectory, ...change }) => ({
    ...change,
    path: toGiven(change.path),
    ...(backupDirectory === undefined || backupDirectory === dirname(change.path)
      ? {}
      : { backupDirectory: toLocalPath(root, backupDirectory) }),
  }));
  return ok({ ...planned.value, changes });
}

/** Whether the distribution generates the file from a template, so that it need not exist to be patched. */
export const isGeneratedFromTemplate = (path: string): boolean => findRancherDir(resolve(path)) !== undefined;

/** The file's path on the node, below `hostRoot`; a file elsewhere is on this program's own root. */
function findNodePath({ path, hostRoot }: ConfigFile): { readonly root: string; readonly nodePath: string } {
  const absolute = resolve(path);
  const root = resolve(hostRoot);
  return root !== "/" && absolute.startsWith(`${root}/`)
    ? { root, nodePath: absolute.slice(root.length) }
    : { root: "/", nodePath: absolute };
}

/** The same files, with the text of one replaced by the text that was read already. */
const withText = (files: NodeFiles, path: string, text: string | undefined): NodeFiles =>
  text === undefined
    ? files
    : { ...files, readText: (asked) => (asked === path ? { text } : files.readText(asked)) };
