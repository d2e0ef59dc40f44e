// SPDX-License-Identifier: Apache-2.0
// Finds the API server: by a kubeconfig, or with the service account of the program's pod.

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Logger } from "@rthooks/log";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { parseYaml } from "@rthooks/yaml";
import type { ClusterAccess } from "../core/cluster-access.ts";
import { findInClusterAccess, parseKubeconfig } from "../core/kubeconfig.ts";
import type { FindAccess } from "./authorizer.ts";
import { environment } from "./environment.ts";

interface KubeAccessOptions {
  /** Of the kubeconfig; empty for the service account of the program's pod. */
  readonly path: string;
  /** That sets the path: "--k8s-kubeconfig-path" */
  readonly flag: string;
  readonly log: Logger;
}

/**
 * The file is read for each access: at the start
 * it may be missing or empty. The error, of an invalid file, is one line for users.
 */
export function openKubeAccess({ path, flag, log }: KubeAccessOptions): Result<FindAccess, string> {
  if (path === "") {
    const access = findInClusterAccess(environment);
    return access === undefined
      ? err(`not running in a pod of a cluster (KUBERNETES_SERVICE_HOST is not set): set ${flag}`)
      : ok(() => Promise.resolve(ok(access)));
  }
  const atStart = readNow(path);
  if (!atStart.ok) log.warn("cannot read the kubeconfig yet, retrying", { path, err: atStart.error });
  else if (atStart.value.trim() !== "") {
    const parsed = parse(path, atStart.value);
    if (!parsed.ok) return err(`${flag} ${parsed.error}`);
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
