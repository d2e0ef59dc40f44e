// SPDX-License-Identifier: Apache-2.0
// Who this program is to the API server, as of now: tokens in files rotate, and those of programs expire.

import { readFile } from "node:fs/promises";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { ClusterAccess, Material } from "../core/cluster-access.ts";
import { type ExecIdentity, runExecPlugin } from "./exec-plugin.ts";

interface Identity {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Readonly<Record<string, string | boolean>>;
}

export interface Authorizer {
  /** The error is for people, one line. */
  authorize(): Promise<Result<Identity, string>>;
  /** What it was is not accepted: the next one is made anew. */
  renew(): void;
}

/** The kubelet writes a new token long before the old one ends. */
const REREAD_MS = 60_000;

export function createAuthorizer(access: ClusterAccess): Authorizer {
  const { credentials } = access;
  let cached: { readonly identity: Identity; readonly untilMs: number } | undefined;

  const make = async (): Promise<
    Result<{ readonly identity: Identity; readonly untilMs: number }, string>
  > => {
    const tls: Record<string, string | boolean> = { rejectUnauthorized: !access.insecure };
    const untilMs = Date.now() + REREAD_MS;
    try {
      if (access.ca !== undefined) tls["ca"] = await read(access.ca);
      if (access.serverName !== undefined) tls["serverName"] = access.serverName;
      switch (credentials.kind) {
        case "none":
          return ok({ identity: { headers: {}, tls }, untilMs });
        case "token":
          return ok({ identity: withToken(tls, credentials.token), untilMs });
        case "token-file":
          return ok({ identity: withToken(tls, await readFile(credentials.path, "utf8")), untilMs });
        case "certificate": {
          const [cert, key] = [await read(credentials.certificate), await read(credentials.key)];
          return ok({ identity: { headers: {}, tls: { ...tls, cert, key } }, untilMs });
        }
        case "exec": {
          const said = await runExecPlugin(credentials);
          return said.ok ? ok({ identity: toIdentity(tls, said.value), untilMs: said.value.untilMs }) : said;
        }
      }
    } catch (error) {
      return err(describeError(error));
    }
  };

  return {
    async authorize() {
      if (cached !== undefined && Date.now() < cached.untilMs) return ok(cached.identity);
      const made = await make();
      if (!made.ok) return made;
      cached = made.value;
      return ok(made.value.identity);
    },
    renew: () => {
      cached = undefined;
    },
  };
}

const read = async (material: Material): Promise<string> =>
  material.kind === "text" ? material.pem : await readFile(material.path, "utf8");

const withToken = (tls: Identity["tls"], token: string): Identity => ({
  headers: { authorization: `Bearer ${token.trim()}` },
  tls,
});

const toIdentity = (tls: Identity["tls"], { token, certificate, key }: ExecIdentity): Identity => ({
  headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  tls: certificate === undefined || key === undefined ? tls : { ...tls, cert: certificate, key },
});
