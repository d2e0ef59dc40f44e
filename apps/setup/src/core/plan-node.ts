// SPDX-License-Identifier: Apache-2.0
// Plans a patch of containerd's configuration on a node, in the files that its distribution does not generate.

import { ok, type Result } from "@rthooks/result";
import { type NodeFiles, readConfigTree, toDirectory, toName, withNewFile } from "@rthooks/runtime-config";
import {
  BACKUP_SUFFIX,
  type ContainerdPatch,
  type FileChange,
  type FilePlan,
  type PatchError,
  rejectPatch,
} from "./patch.ts";
import { planContainerd } from "./patch-containerd.ts";
import { findRancherDir, planRancher } from "./plan-rancher.ts";

interface NodeConfig {
  readonly files: NodeFiles;
  /** The main file, as the node sees it. */
  readonly path: string;
  /** Of containerd; undefined if it is unknown. */
  readonly release: string | undefined;
}

/** Paths in the plan are as the node sees them. */
export function planNode(
  { files, path, release }: NodeConfig,
  patch: ContainerdPatch,
): Result<FilePlan, PatchError> {
  const directory = findRancherDir(path);
  if (directory !== undefined) return planRancher({ files, directory, release }, patch);
  const template = findMicrok8sTemplate(files, path);
  if (template !== undefined) {
    return rejectPatch(path, `is generated at each start from ${template}: change that file`);
  }
  const { documents, problems } = readConfigTree(files, path);
  const planned = planContainerd({ documents, release }, patch);
  if (!planned.ok) return planned;
  const generated = planned.value.changes.find((change) => isGenerated(change.path));
  if (generated !== undefined) {
    return rejectPatch(
      generated.path,
      "decides the setting, and is generated at each start of the runtime: change the source of the file",
    );
  }
  const changes = planned.value.changes.map((change): FileChange => {
    const candidates = [toDirectory(change.path), toDirectory(path), ...backupDirectories];
    const backupDirectory = candidates.find((directory) => !isImported(files, path, directory, change.path));
    return { ...change, ...(backupDirectory === undefined ? {} : { backupDirectory }) };
  });
  return ok({ changes, notes: [...problems, ...planned.value.notes] });
}

/** For import patterns that match every file beside the configuration. */
const backupDirectories = ["/etc/containerd/tetragon-backup", "/var/lib/tetragon-oci-hook-setup"];

/** Whether containerd would read a copy of the file in the directory: "conf.d/*" matches every name. */
function isImported(files: NodeFiles, main: string, directory: string, path: string): boolean {
  const copy = `${directory}/${toName(path)}${BACKUP_SUFFIX}20000101T000000Z`;
  const { documents, problems } = readConfigTree(withNewFile(files, copy), main);
  return (
    documents.some((document) => document.path === copy) || problems.some((line) => line.startsWith(copy))
  );
}

/** MicroK8s generates containerd.toml from containerd-template.toml (microk8s, run-containerd-with-args). */
function findMicrok8sTemplate(files: NodeFiles, path: string): string | undefined {
  const template = path.replace(/\/args\/containerd\.toml$/, "/args/containerd-template.toml");
  return template !== path && files.kind(template) === "file" ? template : undefined;
}

/** Files below /run are generated at each start, such as the CRI part of k0s' configuration. */
const isGenerated = (path: string): boolean => /^(?:\/var)?\/run\//.test(path);
