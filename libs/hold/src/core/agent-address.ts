// SPDX-License-Identifier: Apache-2.0

import { parseAddress, renderAddress } from "@rthooks/net";
import { err, ok, type Result } from "@rthooks/result";

export type AgentAddress =
  | { readonly kind: "unix"; readonly path: string; readonly text: string }
  /** `target`: "host:port" or "[ipv6]:port". */
  | { readonly kind: "tcp"; readonly target: string; readonly tls: boolean; readonly text: string };

/** An address to connect to: TLS behind tls:// alone, and never without host and port. The error is one line for users. */
export function parseAgentAddress(text: string): Result<AgentAddress, string> {
  const parsed = parseAddress(text);
  const address = parsed.ok ? parsed.value : undefined;
  if (address?.kind === "unix" && !address.path.startsWith("//")) return ok({ ...address, text });
  if (text.startsWith("unix:")) {
    return err(
      `${JSON.stringify(text)} is not an address: a unix socket needs an absolute path, unix:///path`,
    );
  }
  if (address?.kind !== "tcp" || address.host === "" || address.port === undefined) {
    return err(`${JSON.stringify(text)} is not an address: use unix:///path, host:port or tls://host:port`);
  }
  const { scheme, host, port } = address;
  return ok({ kind: "tcp", target: renderAddress({ kind: "tcp", host, port }), tls: scheme === "tls", text });
}
