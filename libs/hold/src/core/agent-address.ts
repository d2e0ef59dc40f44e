// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";

export type AgentAddress =
  | { readonly kind: "unix"; readonly path: string; readonly text: string }
  | { readonly kind: "tcp"; readonly target: string; readonly tls: boolean; readonly text: string };

/**
 * gRPC's target names: `unix:///path`, `unix:/path`, `host:port`, `dns:///host:port`, `passthrough:///host:port`;
 * and `tls://host:port` for an agent that serves TLS. Relative paths are rejected: they depend on the working directory.
 */
export function parseAgentAddress(text: string): Result<AgentAddress, string> {
  if (text.startsWith("unix:")) {
    const path = text.slice(text.startsWith("unix:///") ? "unix://".length : "unix:".length);
    if (!path.startsWith("/") || path.startsWith("//") || path.includes("\0")) {
      return err(
        `${JSON.stringify(text)} is not an address: a unix socket needs an absolute path, unix:///path`,
      );
    }
    return ok({ kind: "unix", path, text });
  }
  const tls = text.startsWith("tls://");
  const target = text.replace(/^(tls:\/\/|(dns|passthrough):\/\/\/)/, "");
  if (!/^(\[[0-9a-fA-F:.%]+\]|[^\s/:[\]]+):\d{1,5}$/.test(target)) {
    return err(`${JSON.stringify(text)} is not an address: use unix:///path, host:port or tls://host:port`);
  }
  return ok({ kind: "tcp", target, tls, text });
}
