// SPDX-License-Identifier: Apache-2.0
// How the agent finds the API server: by a kubeconfig, or as the pod that it runs in.

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type ClusterAccess, type FindAccess, findInClusterAccess, parseKubeconfig } from "@rthooks/kube";
import type { Logger } from "@rthooks/log";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { parseYaml } from "../../base/edge/yaml.ts";

/**
 * `path`: of the kubeconfig; empty for the pod's own service account. A file that is not there yet, or is empty, is read
 * when it is asked for; one that is wrong is an error, which is one line for people.
 */
export function openKubeAccess(path: string, log: Logger): Result<FindAccess, string> {
  if (path === "") {
    const access = findInClusterAccess(process.env);
    return access === undefined
      ? err(
          "--enable-k8s-api: this is no pod of a cluster (no KUBERNETES_SERVICE_HOST): give --k8s-kubeconfig-path",
        )
      : ok(() => Promise.resolve(ok(access)));
  }
  const atStart = readNow(path);
  if (!atStart.ok)
    log.warn("the kubeconfig cannot be read yet; it is tried again", { path, err: atStart.error });
  else if (atStart.value.trim() !== "") {
    const parsed = parse(path, atStart.value);
    if (!parsed.ok) return err(`--k8s-kubeconfig-path ${parsed.error}`);
  }
  return ok(async () => {
    try {
      return parse(path, await readFile(path, "utf8"));
    } catch (error) {
      return err(`${path} cannot be read: ${describeError(error)}`);
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
