// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from "node:fs";
import type { KubeApi } from "./kube-api.ts";
import type { Workspace } from "./workspace.ts";

/** A kubeconfig with the server's token; gives its path. */
export function writeKubeconfig(workspace: Workspace, api: KubeApi): string {
  const path = workspace.path("kubeconfig");
  const config = {
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "k", user: "u" } }],
    clusters: [{ name: "k", cluster: { server: api.url, "certificate-authority": api.certs.caPath } }],
    users: [{ name: "u", user: { token: api.token } }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}
