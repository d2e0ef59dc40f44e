// SPDX-License-Identifier: Apache-2.0
// Addresses as flags and configuration files write them. The forms are those of gRPC (grpc/grpc doc/naming.md), and
// `tls://host:port`. Each program restricts them to what it can use.

import { err, ok, type Result } from "@rthooks/result";

/** Where the agent listens by default, and where Tetragon's programs look for it. */
export const DEFAULT_AGENT_ADDRESS = "unix:///var/run/tetragon/tetragon.sock";

export type Address =
  | { readonly kind: "unix"; readonly path: string }
  | {
      readonly kind: "tcp";
      readonly scheme: "" | "dns" | "passthrough" | "tls";
      /** A name or an IP address, without brackets; empty in ":80". */
      readonly host: string;
      /** 0 to 65535; undefined where the address has none. */
      readonly port: number | undefined;
    };

/**
 * `unix:///path`, `unix:/path`, `host:port`, `[ipv6]:port`, `host`, `:port`, and the host forms behind `dns:///`,
 * `passthrough:///` or `tls://`. A socket's path is absolute: a relative one would depend on the working directory.
 * The error says which part is wrong.
 */
export function parseAddress(text: string): Result<Address, "path" | "host or port"> {
  if (text.startsWith("unix:")) {
    const path = text.slice(text.startsWith("unix://") ? "unix://".length : "unix:".length);
    return path.startsWith("/") && !path.includes("\0") ? ok({ kind: "unix", path }) : err("path");
  }
  const match =
    /^(?:(dns|passthrough):\/\/\/|(tls):\/\/)?(?:\[([0-9A-Fa-f:.%]+)\]|([^\s/:[\]]*))(?::(\d{1,5}))?$/.exec(
      text,
    );
  if (match === null) return err("host or port");
  const [, resolver, tls, ipv6, name = "", digits] = match;
  const host = ipv6 ?? name;
  const port = digits === undefined ? undefined : Number(digits);
  if ((host === "" && port === undefined) || (port ?? 0) > 65_535) return err("host or port");
  return ok({ kind: "tcp", scheme: toScheme(resolver ?? tls), host, port });
}

function toScheme(text: string | undefined): "" | "dns" | "passthrough" | "tls" {
  return text === "dns" || text === "passthrough" || text === "tls" ? text : "";
}

/** Without a scheme, as a client dials it: "unix:///path", "host:port", "[ipv6]:port". */
export function renderAddress(
  address:
    | { readonly kind: "unix"; readonly path: string }
    | { readonly kind: "tcp"; readonly host: string; readonly port: number },
): string {
  if (address.kind === "unix") return `unix://${address.path}`;
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}
