// SPDX-License-Identifier: Apache-2.0
// kubeconfig files (client-go tools/clientcmd/api/v1/types.go), without the fields for interactive use.

import { err, ok, type Result } from "@rthooks/result";
import * as v from "valibot";
import type { ClusterAccess, Credentials, Material } from "./cluster-access.ts";
import { parseProxy } from "./proxy.ts";

const text = v.nullish(v.string());

const kubeconfig = v.object({
  "current-context": text,
  clusters: v.nullish(
    v.array(
      v.object({
        name: v.string(),
        cluster: v.object({
          server: v.pipe(v.string(), v.nonEmpty()),
          "certificate-authority": text,
          "certificate-authority-data": text,
          "insecure-skip-tls-verify": v.nullish(v.boolean()),
          "tls-server-name": text,
          "proxy-url": text,
        }),
      }),
    ),
  ),
  contexts: v.nullish(
    v.array(v.object({ name: v.string(), context: v.object({ cluster: v.string(), user: text }) })),
  ),
  users: v.nullish(
    v.array(
      v.object({
        name: v.string(),
        user: v.nullish(
          v.object({
            "client-certificate": text,
            "client-certificate-data": text,
            "client-key": text,
            "client-key-data": text,
            token: text,
            tokenFile: text,
            exec: v.nullish(
              v.object({
                apiVersion: v.picklist([
                  "client.authentication.k8s.io/v1",
                  "client.authentication.k8s.io/v1beta1",
                ]),
                command: v.pipe(v.string(), v.nonEmpty()),
                args: v.nullish(v.array(v.string())),
                env: v.nullish(v.array(v.object({ name: v.string(), value: v.string() }))),
              }),
            ),
          }),
        ),
      }),
    ),
  ),
});

type User = NonNullable<NonNullable<v.InferOutput<typeof kubeconfig>["users"]>[number]["user"]>;

/** `directory`: the file's directory, to which paths in it are relative. The error names the field. */
export function parseKubeconfig(value: unknown, directory: string): Result<ClusterAccess, string> {
  const parsed = v.safeParse(kubeconfig, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    return err(`${v.getDotPath(issue) ?? "the file"}: ${issue.message}`);
  }
  const config = parsed.output;
  const current = config["current-context"] ?? "";
  const context = config.contexts?.find(({ name }) => name === current)?.context;
  if (context === undefined) return err(`current-context: context ${JSON.stringify(current)} does not exist`);
  const cluster = config.clusters?.find(({ name }) => name === context.cluster)?.cluster;
  if (cluster === undefined) {
    return err(
      `context ${JSON.stringify(current)}: cluster ${JSON.stringify(context.cluster)} does not exist`,
    );
  }
  const user = config.users?.find(({ name }) => name === context.user)?.user ?? undefined;
  if ((context.user ?? "") !== "" && user === undefined) {
    return err(`context ${JSON.stringify(current)}: user ${JSON.stringify(context.user)} does not exist`);
  }
  const resolve = (path: string): string => (path.startsWith("/") ? path : `${directory}/${path}`);
  const ca = toMaterial(cluster["certificate-authority-data"], cluster["certificate-authority"], resolve);
  if (!ca.ok) return err(`certificate-authority-data ${ca.error}`);
  const proxy = cluster["proxy-url"] ? parseProxy(cluster["proxy-url"]) : ok(undefined);
  if (!proxy.ok) return err(`cluster ${JSON.stringify(context.cluster)}: proxy-url: ${proxy.error}`);
  const credentials = toCredentials(user, resolve);
  if (!credentials.ok) return credentials;
  return ok({
    server: cluster.server.replace(/\/+$/, ""),
    ca: ca.value,
    insecure: cluster["insecure-skip-tls-verify"] === true,
    serverName: cluster["tls-server-name"] || undefined,
    proxy: proxy.value,
    credentials: credentials.value,
  });
}

/** Inline data takes precedence over a file, as in kubectl. */
function toMaterial(
  data: string | null | undefined,
  path: string | null | undefined,
  resolve: (path: string) => string,
): Result<Material | undefined, string> {
  if (data) {
    try {
      return ok({ kind: "text", pem: atob(data) });
    } catch {
      return err("is not base64");
    }
  }
  return ok(path ? { kind: "file", path: resolve(path) } : undefined);
}

function toCredentials(
  user: User | undefined,
  resolve: (path: string) => string,
): Result<Credentials, string> {
  if (user === undefined) return ok({ kind: "none" });
  const certificate = toMaterial(user["client-certificate-data"], user["client-certificate"], resolve);
  if (!certificate.ok) return err(`client-certificate-data ${certificate.error}`);
  const key = toMaterial(user["client-key-data"], user["client-key"], resolve);
  if (!key.ok) return err(`client-key-data ${key.error}`);
  if (certificate.value !== undefined && key.value !== undefined) {
    return ok({ kind: "certificate", certificate: certificate.value, key: key.value });
  }
  if (certificate.value !== undefined) return err("client-key: is missing for client-certificate");
  if (user.tokenFile) return ok({ kind: "token-file", path: resolve(user.tokenFile) });
  if (user.token) return ok({ kind: "token", token: user.token });
  const { exec } = user;
  if (exec == null) return ok({ kind: "none" });
  return ok({
    kind: "exec",
    apiVersion: exec.apiVersion,
    // A path with a slash is relative to the kubeconfig file; a name without one is searched in PATH.
    command: exec.command.includes("/") ? resolve(exec.command) : exec.command,
    args: exec.args ?? [],
    env: Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value])),
  });
}

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Access with the pod's service account; undefined outside of a cluster. */
export function findInClusterAccess(
  env: Readonly<Record<string, string | undefined>>,
  directory: string = SERVICE_ACCOUNT,
): ClusterAccess | undefined {
  const host = env["KUBERNETES_SERVICE_HOST"];
  const port = env["KUBERNETES_SERVICE_PORT"];
  if (!host || !port) return undefined;
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    ca: { kind: "file", path: `${directory}/ca.crt` },
    insecure: false,
    serverName: undefined,
    proxy: undefined,
    credentials: { kind: "token-file", path: `${directory}/token` },
  };
}
