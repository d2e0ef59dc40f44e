// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from "node:fs";
import type { KubeApi } from "./kube-api.ts";
import type { Workspace } from "./workspace.ts";

/** A kubeconfig with the server's token; gives its path. `cluster`: more fields of the cluster. */
export function writeKubeconfig(
  workspace: Workspace,
  api: Pick<KubeApi, "url" | "certs" | "token">,
  cluster: Readonly<Record<string, unknown>> = {},
  path: string = workspace.path("kubeconfig"),
): string {
  const config = {
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "k", user: "u" } }],
    clusters: [
      { name: "k", cluster: { server: api.url, "certificate-authority": api.certs.caPath, ...cluster } },
    ],
    users: [{ name: "u", user: { token: api.token } }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}
