// SPDX-License-Identifier: Apache-2.0
// The current address, TLS settings and credentials for requests. Kubeconfigs, CA files and tokens are replaced while the
// program runs, and the credentials of an exec plugin expire.

import { readFile } from "node:fs/promises";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { ClusterAccess, ExecCredentials, Material } from "../core/cluster-access.ts";
import { describeProxy, findProxy } from "../core/proxy.ts";
import { environment } from "./environment.ts";
import { type IssuedCredentials, runExecPlugin } from "./exec-plugin.ts";

export interface Endpoint {
  /** "https://10.0.0.1:6443" */
  readonly server: string;
  /** Empty for no proxy. */
  readonly proxy: string;
  /** For messages: the server, and the proxy to it. */
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Readonly<Record<string, string | boolean>>;
}

interface AccessError {
  /** One line. */
  readonly message: string;
  /** A file is unusable; false if an exec plugin failed. */
  readonly isLocal: boolean;
}

/** The error is one line. */
export type FindAccess = () => Promise<Result<ClusterAccess, string>>;

export interface Authorizer {
  authorize(): Promise<Result<Endpoint, AccessError>>;
  /**
   * A request with that endpoint failed: the files are read again for the next request. The exec plugin runs again if the
   * server rejected its credentials, or if TLS failed, then at most every 10 s.
   */
  renew(endpoint: Endpoint, why: "refused" | "tls" | "no answer"): void;
}

/** The kubelet writes a new token long before the old one expires. */
const REREAD_MS = 60_000;
const TLS_RENEWAL_MS = 10_000;

interface Expiring<T> {
  readonly value: T;
  /** On the monotonic clock of `performance.now()`. */
  readonly untilMs: number;
}

const isLive = <T>(held: Expiring<T> | undefined): held is Expiring<T> =>
  held !== undefined && performance.now() < held.untilMs;

export function createAuthorizer(findAccess: FindAccess): Authorizer {
  let current: Expiring<Endpoint> | undefined;
  let pending: Promise<Result<Endpoint, AccessError>> | undefined;
  let issued: Expiring<{ readonly key: string; readonly credentials: IssuedCredentials }> | undefined;
  let tlsRenewedMs = Number.NEGATIVE_INFINITY;

  const issue = async (exec: ExecCredentials): Promise<Result<IssuedCredentials, string>> => {
    const key = JSON.stringify(exec);
    if (isLive(issued) && issued.value.key === key) return ok(issued.value.credentials);
    const printed = await runExecPlugin(exec);
    if (!printed.ok) return printed;
    const credentials = printed.value;
    issued = { value: { key, credentials }, untilMs: performance.now() + credentials.lifetimeMs };
    return ok(credentials);
  };

  const createEndpoint = async (): Promise<Result<Endpoint, AccessError>> => {
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
      const printed = await issue(credentials);
      if (!printed.ok) return err({ message: printed.error, isLocal: false });
      const { token, certificate, key } = printed.value;
      if (token !== undefined) headers["authorization"] = toBearer(token);
      if (certificate !== undefined && key !== undefined) Object.assign(tls, { cert: certificate, key });
    }
    return ok({ server, proxy: proxy.value?.href ?? "", name: server + through, headers, tls });
  };

  return {
    async authorize() {
      if (isLive(current)) return ok(current.value);
      pending ??= createEndpoint().finally(() => {
        pending = undefined;
      });
      const created = await pending;
      if (created.ok) current = { value: created.value, untilMs: performance.now() + REREAD_MS };
      return created;
    },
    renew(endpoint, why) {
      // Another request may have renewed it already.
      if (current?.value !== endpoint) return;
      const now = performance.now();
      if (why === "tls" && now - tlsRenewedMs >= TLS_RENEWAL_MS) {
        tlsRenewedMs = now;
        issued = undefined;
      }
      if (why === "refused") issued = undefined;
      current = undefined;
    },
  };
}

const isLocal = (message: string): Result<never, AccessError> => err({ message, isLocal: true });

const read = async (material: Material): Promise<string> =>
  material.kind === "text" ? material.pem : await readFile(material.path, "utf8");

/** Rejects a file without a certificate, such as one that is being written: the system's CA certificates must not be used. */
async function readCertificate(material: Material, field: string): Promise<string> {
  const pem = await read(material);
  if (pem.includes("-----BEGIN ")) return pem;
  throw new Error(`${material.kind === "file" ? material.path : `${field}-data`} contains no certificate`);
}

const toBearer = (token: string): string => `Bearer ${token.trim()}`;
