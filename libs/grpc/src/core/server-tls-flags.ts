// SPDX-License-Identifier: Apache-2.0
// The flags of a gRPC server with TLS, with the names and the rules of Tetragon (pkg/option/flags.go,
// validateServerTLSConfig).

import { type FlagValues, flag } from "@rthooks/flags";
import { err, ok, type Result } from "@rthooks/result";

export const serverTlsFlags = {
  "server-tls-cert-file": flag.string({
    usage: "certificate (PEM) of the TCP addresses, which have TLS then; read again when it changes",
    placeholder: "FILE",
  }),
  "server-tls-key-file": flag.string({
    usage: "private key (PEM) of --server-tls-cert-file",
    placeholder: "FILE",
  }),
  "server-tls-client-ca-files": flag.list({
    usage: "authorities (PEM) of client certificates, for --server-tls-require-client-cert",
    placeholder: "FILES",
  }),
  "server-tls-require-client-cert": flag.boolean({
    usage:
      "refuse TCP clients without a certificate of --server-tls-client-ca-files, and serve the others all calls",
  }),
} as const; // const: each flag keeps its own kind

export interface ServerTlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Empty: clients need no certificate. */
  readonly clientCaFiles: readonly string[];
}

/** Undefined: no TLS. The error is one line that begins with a flag. */
export function parseServerTls(
  flags: FlagValues<typeof serverTlsFlags>,
  hasTcpAddress: boolean,
): Result<ServerTlsFiles | undefined, string> {
  const certFile = flags["server-tls-cert-file"];
  const keyFile = flags["server-tls-key-file"];
  const clientCaFiles = flags["server-tls-client-ca-files"];
  const requiresClientCert = flags["server-tls-require-client-cert"];
  if (certFile === "" && keyFile !== "") return err("--server-tls-key-file needs --server-tls-cert-file");
  if (certFile !== "" && keyFile === "") return err("--server-tls-cert-file needs --server-tls-key-file");
  if (requiresClientCert && certFile === "")
    return err("--server-tls-require-client-cert needs --server-tls-cert-file and --server-tls-key-file");
  if (requiresClientCert && clientCaFiles.length === 0)
    return err("--server-tls-require-client-cert needs --server-tls-client-ca-files");
  if (!requiresClientCert && clientCaFiles.length > 0)
    return err("--server-tls-client-ca-files has an effect only with --server-tls-require-client-cert");
  if (certFile === "") return ok(undefined);
  return hasTcpAddress
    ? ok({ certFile, keyFile, clientCaFiles })
    : err("--server-tls-cert-file needs a TCP address in --server-address: unix sockets have no TLS");
}
