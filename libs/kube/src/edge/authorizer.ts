// SPDX-License-Identifier: Apache-2.0
// Where the API server is and who this program is to it, as of now: kubeconfigs, authorities and tokens are replaced
// while the program runs, and what an exec plugin gives expires.

import { readFile } from "node:fs/promises";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { ClusterAccess, ExecCredentials, Material } from "../core/cluster-access.ts";
import { describeProxy, findProxy } from "../core/proxy.ts";
import { environment } from "./environment.ts";
import { type ExecIdentity, runExecPlugin } from "./exec-plugin.ts";

export interface Endpoint {
  /** "https://10.0.0.1:6443" */
  readonly server: string;
  /** Empty for none. */
  readonly proxy: string;
  /** For people: the server, and the proxy that leads to it. */
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Readonly<Record<string, string | boolean>>;
}

interface AccessError {
  /** One line for people. */
  readonly message: string;
  /** A file cannot be used; false: an exec plugin gave nothing. */
  readonly isLocal: boolean;
}

/** The error is one line for people. */
export type FindAccess = () => Promise<Result<ClusterAccess, string>>;

export interface Authorizer {
  authorize(): Promise<Result<Endpoint, AccessError>>;
  /**
   * A request with that endpoint failed, so that its files are read again for the next one. What an exec plugin gave is
   * asked for again too if the server refused it, or if TLS failed: then not more often than every 10 s.
   */
  renew(endpoint: Endpoint, why: "refused" | "tls" | "no answer"): void;
}

/** The kubelet writes a new token long before the old one ends. */
const REREAD_MS = 60_000;
const TLS_RENEWAL_MS = 10_000;

interface Expiring<T> {
  readonly value: T;
  /** By `performance.now()`, which no change of the clock moves. */
  readonly untilMs: number;
}

const isLive = <T>(held: Expiring<T> | undefined): held is Expiring<T> =>
  held !== undefined && performance.now() < held.untilMs;

export function createAuthorizer(findAccess: FindAccess): Authorizer {
  let current: Expiring<Endpoint> | undefined;
  let making: Promise<Result<Endpoint, AccessError>> | undefined;
  let plugin: Expiring<{ readonly key: string; readonly identity: ExecIdentity }> | undefined;
  let tlsRenewedMs = Number.NEGATIVE_INFINITY;

  const askPlugin = async (exec: ExecCredentials): Promise<Result<ExecIdentity, string>> => {
    const key = JSON.stringify(exec);
    if (isLive(plugin) && plugin.value.key === key) return ok(plugin.value.identity);
    const said = await runExecPlugin(exec);
    if (!said.ok) return said;
    const identity = said.value;
    plugin = { value: { key, identity }, untilMs: performance.now() + identity.lifetimeMs };
    return ok(identity);
  };

  const make = async (): Promise<Result<Endpoint, AccessError>> => {
    const access = await findAccess();
    if (!access.ok) return isLocal(access.error);
    const { server, ca, insecure, serverName, credentials } = access.value;
    const proxy = access.value.proxy === undefined ? findProxy(server, environment) : ok(access.value.proxy);
    if (!proxy.ok) return isLocal(`${server}: ${proxy.error}`);
    const through = proxy.value === undefined ? "" : ` through proxy ${describeProxy(proxy.value)}`;
    const tls: Record<string, string | boolean> = { rejectUnauthorized: !insecure };
    const headers: Record<string, string> = {};
    try {
      if (ca !== undefined) tls["ca"] = await readCertificate(ca, "certificate-authority");
      if (serverName !== undefined) tls["serverName"] = serverName;
      if (credentials.kind === "token") headers["authorization"] = toBearer(credentials.token);
      if (credentials.kind === "token-file") {
        headers["authorization"] = toBearer(await readFile(credentials.path, "utf8"));
      }
      if (credentials.kind === "certificate") {
        tls["cert"] = await readCertificate(credentials.certificate, "client-certificate");
        tls["key"] = await read(credentials.key);
      }
    } catch (error) {
      return isLocal(describeError(error));
    }
    if (credentials.kind === "exec") {
      const said = await askPlugin(credentials);
      if (!said.ok) return err({ message: said.error, isLocal: false });
      const { token, certificate, key } = said.value;
      if (token !== undefined) headers["authorization"] = toBearer(token);
      if (certificate !== undefined && key !== undefined) Object.assign(tls, { cert: certificate, key });
    }
    return ok({ server, proxy: proxy.value?.href ?? "", name: server + through, headers, tls });
  };

  return {
    async authorize() {
      if (isLive(current)) return ok(current.value);
      making ??= make().finally(() => {
        making = undefined;
      });
      const made = await making;
      if (made.ok) current = { value: made.value, untilMs: performance.now() + REREAD_MS };
      return made;
    },
    renew(endpoint, why) {
      // Another request may have renewed it by now.
      if (current?.value !== endpoint) return;
      const now = performance.now();
      if (why === "tls" && now - tlsRenewedMs >= TLS_RENEWAL_MS) {
        tlsRenewedMs = now;
        plugin = undefined;
      }
      if (why === "refused") plugin = undefined;
      current = undefined;
    },
  };
}

const isLocal = (message: string): Result<never, AccessError> => err({ message, isLocal: true });

const read = async (material: Material): Promise<string> =>
  material.kind === "text" ? material.pem : await readFile(material.path, "utf8");

/** A file that is being written may be empty, for which the system's authorities must not stand in. */
async function readCertificate(material: Material, field: string): Promise<string> {
  const pem = await read(material);
  if (pem.includes("-----BEGIN ")) return pem;
  throw new Error(`${material.kind === "file" ? material.path : `${field}-data`} holds no certificate`);
}

const toBearer = (token: string): string => `Bearer ${token.trim()}`;
