// SPDX-License-Identifier: Apache-2.0
// A change of containerd's configuration on a node, in the files that the node's distribution lets be changed.

import { err, type Result } from "@rthooks/result";
import { type NodeFiles, readConfigTree, toDirectory, toName, withNewFile } from "@rthooks/runtime-config";
import { BACKUP_SUFFIX, type FileChange, type FilePlan, type PatchError } from "./patch.ts";
import { type ContainerdPatch, planContainerd } from "./patch-containerd.ts";
import { findRancherDir, planRancher } from "./plan-rancher.ts";

interface NodeConfig {
  readonly files: NodeFiles;
  /** Of the file on the node. */
  readonly path: string;
  /** Of containerd; undefined where it is not known. */
  readonly release: string | undefined;
}

/** By paths of the node. */
export function planNode(
  { files, path, release }: NodeConfig,
  patch: ContainerdPatch,
): Result<FilePlan, PatchError> {
  const directory = findRancherDir(path);
  if (directory !== undefined) return planRancher({ files, directory, release }, patch);
  const template = findMicrok8sTemplate(files, path);
  if (template !== undefined) {
    return refuse(path, `is generated at each start from ${template}: change that file`);
  }
  const { documents, problems } = readConfigTree(files, path);
  const planned = planContainerd({ documents, release }, patch);
  if (!planned.ok) return planned;
  const generated = planned.value.changes.find((change) => isGenerated(change.path));
  if (generated !== undefined) {
    return refuse(
      generated.path,
      "decides the setting, and is generated at each start of the runtime: change the source of the file",
    );
  }
  const changes = planned.value.changes.map((change): FileChange => {
    const candidates = [toDirectory(change.path), toDirectory(path), ...backupDirectories];
    const backupDirectory = candidates.find((directory) => !isImported(files, path, directory, change.path));
    return { ...change, ...(backupDirectory === undefined ? {} : { backupDirectory }) };
  });
  return { ok: true, value: { changes, notes: [...problems, ...planned.value.notes] } };
}

/** For patterns that match whatever lies beside the configuration. */
const backupDirectories = ["/etc/containerd/tetragon-backup", "/var/lib/tetragon-oci-hook-setup"];

/** Whether containerd would read a copy of the file in the directory: "conf.d/*" matches every name. */
function isImported(files: NodeFiles, main: string, directory: string, path: string): boolean {
  const copy = `${directory}/${toName(path)}${BACKUP_SUFFIX}20000101T000000Z`;
  const { documents, problems } = readConfigTree(withNewFile(files, copy), main);
  return (
    documents.some((document) => document.path === copy) || problems.some((line) => line.startsWith(copy))
  );
}

const refuse = (path: string, message: string): Result<never, PatchError> =>
  err({ kind: "refused", path, message });

/** Its launcher fills in the variables of containerd-template.toml (microk8s, run-containerd-with-args). */
function findMicrok8sTemplate(files: NodeFiles, path: string): string | undefined {
  const template = path.replace(/\/args\/containerd\.toml$/, "/args/containerd-template.toml");
  return template !== path && files.kind(template) === "file" ? template : undefined;
}

/** What lies on a file system in memory is made at each start, as k0s makes CRI's part of its configuration. */
const isGenerated = (path: string): boolean => /^(?:\/var)?\/run\//.test(path);
