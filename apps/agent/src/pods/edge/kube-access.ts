// SPDX-License-Identifier: Apache-2.0
// Finds the API server: by a kubeconfig, or with the service account of the agent's pod.

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type ClusterAccess, type FindAccess, findInClusterAccess, parseKubeconfig } from "@rthooks/kube";
import type { Logger } from "@rthooks/log";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { parseYaml } from "../../base/edge/yaml.ts";

/**
 * `path`: of the kubeconfig; empty for the service account of the agent's pod. The file is read for each access: at the start
 * it may be missing or empty. The error, of an invalid file, is one line for users.
 */
export function openKubeAccess(path: string, log: Logger): Result<FindAccess, string> {
  if (path === "") {
    const access = findInClusterAccess(process.env);
    return access === undefined
      ? err(
          "--enable-k8s-api: not running in a pod of a cluster (KUBERNETES_SERVICE_HOST is not set): set --k8s-kubeconfig-path",
        )
      : ok(() => Promise.resolve(ok(access)));
  }
  const atStart = readNow(path);
  if (!atStart.ok) log.warn("cannot read the kubeconfig yet, retrying", { path, err: atStart.error });
  else if (atStart.value.trim() !== "") {
    const parsed = parse(path, atStart.value);
    if (!parsed.ok) return err(`--k8s-kubeconfig-path ${parsed.error}`);
  }
  return ok(async () => {
    try {
      return parse(path, await readFile(path, "utf8"));
    } catch (error) {
      return err(`cannot read ${path}: ${describeError(error)}`);
    }
  });
}

function readNow(path: string): Result<string, string> {
  try {
    return ok(readFileSync(path, "utf8"));
  } catch (error) {
    return err(describeError(error));
  }
}

function parse(path: string, text: string): Result<ClusterAccess, string> {
  if (text.trim() === "") return err(`${path} is empty`);
  const documents = parseYaml(text);
  if (!documents.ok) return err(`${path}: ${documents.error}`);
  const access = parseKubeconfig(documents.value[0], dirname(path));
  return access.ok ? access : err(`${path}: ${access.error}`);
}
