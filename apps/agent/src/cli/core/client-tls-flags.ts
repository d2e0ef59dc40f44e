// SPDX-License-Identifier: Apache-2.0
// The flags of clients of an agent with TLS, with the names and the rules of `tetra` (cmd/tetra/common/tls.go).

import { type FlagValues, flag } from "@rthooks/flags";
import { err, ok, type Result } from "@rthooks/result";

export const clientTlsFlags = {
  "tls-ca-cert-files": flag.list({
    usage: "authorities (PEM) of the agent's certificate, for a TCP address with TLS (default: the system's)",
    placeholder: "FILES",
  }),
  "tls-cert-file": flag.string({ usage: "client certificate (PEM), for TLS", placeholder: "FILE" }),
  "tls-key-file": flag.string({ usage: "private key (PEM) of --tls-cert-file", placeholder: "FILE" }),
  "tls-server-name": flag.string({
    usage: "name in the agent's certificate (default: the host of the address)",
    placeholder: "NAME",
  }),
  "tls-skip-verify": flag.boolean({ usage: "use TLS without verifying the agent's certificate" }),
} as const; // const: each flag keeps its own kind

export type ClientTlsSettings = FlagValues<typeof clientTlsFlags>;

/** Whether TLS is used: one of the flags is enough. The error is one line. */
export function checkClientTls(flags: ClientTlsSettings): Result<boolean, string> {
  const { "tls-cert-file": cert, "tls-key-file": key, "tls-ca-cert-files": authorities } = flags;
  if ((cert === "") !== (key === "")) return err("--tls-cert-file and --tls-key-file need each other");
  if (flags["tls-skip-verify"] && authorities.length > 0)
    return err("--tls-skip-verify ignores --tls-ca-cert-files: give one of them");
  return ok(
    cert !== "" || authorities.length > 0 || flags["tls-server-name"] !== "" || flags["tls-skip-verify"],
  );
}
