// SPDX-License-Identifier: Apache-2.0
// Certificates of a gRPC server, which are read again when their files change. See docs/adr/0026-tls-on-tcp.md.

import { constants } from "node:crypto";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { ServerCredentials } from "@grpc/grpc-js";
import type { Logger } from "@rthooks/log";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { DirectoryWatch } from "@rthooks/sys/directory-watch";
import { repeatLook, toLookTimes } from "@rthooks/sys/repeated-look";
import { readSmallFile } from "@rthooks/sys/small-file";
import type { ServerTlsFiles } from "../core/server-tls-flags.ts";
import { checkTlsMaterial, type PemFile, type TlsMaterial } from "./tls-material.ts";

export interface ServerTls {
  readonly credentials: ServerCredentials;
  readonly requiresClientCert: boolean;
  /** One line on certificates that cannot be used; empty where all is well. */
  problem(): string;
  close(): void;
}

/** Bundles of all public authorities have some 250 KiB. */
const MAX_BYTES = 1024 * 1024;
/** A client that connects has this time until TLS is there. */
const HANDSHAKE_MS = 10_000;

/** The error is one line that names the file. */
export async function openServerTls(
  files: ServerTlsFiles,
  directories: DirectoryWatch,
  log: Logger,
): Promise<Result<ServerTls, string>> {
  const requiresClientCert = files.clientCaFiles.length > 0;
  const first = await readMaterial(files);
  if (!first.ok) return first;
  let used = first.value;
  const credentials = new RenewedCredentials(toContext(used), requiresClientCert);
  let seen = JSON.stringify(used);
  let problem = "";

  const look = async (): Promise<"quiet" | "active"> => {
    const now = await readMaterial(files);
    const found = now.ok ? JSON.stringify(now.value) : now.error;
    // A certificate and its key may be written one after the other.
    const isSettled = found === seen;
    seen = found;
    if (!isSettled) return "active";
    if (!now.ok) {
      if (problem !== now.error) log.error("the certificate in use stays", { err: now.error });
      problem = now.error;
      return "quiet";
    }
    problem = "";
    if (found === JSON.stringify(used)) return "quiet";
    used = now.value;
    credentials.renew(toContext(used));
    log.info("certificates renewed", { file: files.certFile, expires: toTime(used) });
    return "quiet";
  };
  const followed = repeatLook({
    ...{ directories, times: toLookTimes(250), look },
    paths: () => [files.certFile, files.keyFile, ...files.clientCaFiles],
  });
  log.info("TLS on TCP addresses", { file: files.certFile, expires: toTime(used), requiresClientCert });
  return ok({
    credentials,
    requiresClientCert,
    problem() {
      if (problem !== "") return `the certificate in use was not renewed: ${problem}`;
      return Date.now() > used.expiresMs ? `the certificate in ${files.certFile} has expired` : "";
    },
    close: () => void followed.close(),
  });
}

/** As grpc-js' own credentials for certificates that change, which take them from its experimental providers. */
class RenewedCredentials extends ServerCredentials {
  constructor(context: SecureContextOptions, requiresClientCert: boolean) {
    super(
      {
        minVersion: "TLSv1.2",
        ...{ requestCert: requiresClientCert, rejectUnauthorized: requiresClientCert },
        handshakeTimeout: HANDSHAKE_MS,
      },
      context,
    );
  }
  /** New connections have these; the others keep what they have. */
  renew(context: SecureContextOptions): void {
    this.updateSecureContextOptions(context);
  }
  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

const toContext = ({ cert, key, ca }: TlsMaterial): SecureContextOptions => ({
  ...{ cert, key },
  ...(ca.length > 0 ? { ca: [...ca] } : {}),
  // A resumed session would outlive the client's certificate.
  secureOptions: constants.SSL_OP_NO_TICKET,
});

async function readMaterial(files: ServerTlsFiles): Promise<Result<TlsMaterial, string>> {
  const texts: PemFile[] = [];
  for (const path of [files.certFile, files.keyFile, ...files.clientCaFiles]) {
    const bytes = await readSmallFile(path, MAX_BYTES);
    if (!bytes.ok) return bytes;
    texts.push({ path, text: bytes.value.toString("latin1") });
  }
  const [cert, key, ...authorities] = texts;
  if (cert === undefined || key === undefined) return err("--server-tls-cert-file is empty");
  const checked = checkTlsMaterial(cert, key, authorities, Date.now());
  if (!checked.ok) return checked;
  try {
    createSecureContext(toContext(checked.value));
    return checked;
  } catch (error) {
    return err(`${files.certFile} cannot be used: ${describeError(error)}`);
  }
}

const toTime = ({ expiresMs }: TlsMaterial): string => new Date(expiresMs).toISOString();
