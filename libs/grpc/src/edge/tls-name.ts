// SPDX-License-Identifier: Apache-2.0
// The name that a client of grpc-js verifies.

import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import type { ClientOptions, VerifyOptions } from "@grpc/grpc-js";

export interface TlsName {
  readonly options: ClientOptions;
  readonly verify: VerifyOptions;
}

/**
 * grpc-js 1.14.7 names an IP address to the server, which RFC 6066, section 3, forbids and Bun refuses. A name of TLS is
 * given instead, and the address is verified. `name`: in the server's certificate; empty: the host.
 */
export function toTlsName(host: string, name = ""): TlsName {
  if (name !== "") {
    return {
      options: { "grpc.ssl_target_name_override": name, "grpc.default_authority": name },
      verify: {},
    };
  }
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  if (isIP(bare) === 0) return { options: {}, verify: {} };
  return {
    options: { "grpc.ssl_target_name_override": "tetragon" },
    verify: { checkServerIdentity: (_, certificate) => checkServerIdentity(bare, certificate) },
  };
}
