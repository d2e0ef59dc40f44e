// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from "node:fs";
import { findTool } from "./programs.ts";
import type { Workspace } from "./workspace.ts";

export interface Certs {
  readonly caPath: string;
  readonly ca: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
}

function run(...argv: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([findTool("openssl"), ...argv]);
  if (exitCode !== 0) throw new Error(`openssl ${argv[0]}: ${stderr}`);
}

let count = 0;

/** An authority of its own, a server for 127.0.0.1 and more addresses, and a client that it has signed. */
export function createCerts(workspace: Workspace, addresses: readonly string[] = []): Certs {
  const base = `certs-${++count}`;
  const path = (name: string): string => workspace.path(`${base}-${name}`);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  run(
    "req",
    "-x509",
    ...key,
    "-keyout",
    path("ca.key"),
    "-out",
    path("ca.crt"),
    "-subj",
    "/CN=test",
    "-days",
    "2",
  );
  const sign = (name: string, extension: string): { readonly cert: string; readonly key: string } => {
    run(
      "req",
      "-new",
      ...key,
      "-keyout",
      path(`${name}.key`),
      "-out",
      path(`${name}.csr`),
      "-subj",
      `/CN=${name}`,
    );
    writeFileSync(path("ext"), extension);
    run(
      ...["x509", "-req", "-in", path(`${name}.csr`), "-CA", path("ca.crt"), "-CAkey", path("ca.key")],
      ...["-CAcreateserial", "-days", "2", "-extfile", path("ext"), "-out", path(`${name}.crt`)],
    );
    return {
      cert: readFileSync(path(`${name}.crt`), "utf8"),
      key: readFileSync(path(`${name}.key`), "utf8"),
    };
  };
  return {
    caPath: path("ca.crt"),
    ca: readFileSync(path("ca.crt"), "utf8"),
    server: sign(
      "server",
      `subjectAltName=${["127.0.0.1", ...addresses].map((address) => `IP:${address}`).join(",")}\n`,
    ),
    client: sign("client", "extendedKeyUsage=clientAuth\n"),
  };
}
