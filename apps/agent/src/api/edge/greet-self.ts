// SPDX-License-Identifier: Apache-2.0

import { connect } from "node:tls";
import type { ServerAddress } from "../../base/core/server-address.ts";
import type { Reach } from "../core/health.ts";

/** Whether this agent answers a TLS handshake: it has no certificate of a client, to make a call. */
export function greetSelf(
  { host, port }: Extract<ServerAddress, { kind: "tcp" }>,
  timeoutMs: number,
): Promise<Reach> {
  const { promise, resolve } = Promise.withResolvers<Reach>();
  const socket = connect({ host, port, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
  const end = (reach: Reach): void => {
    clearTimeout(timer);
    resolve(reach);
    socket.destroy();
  };
  const timer = setTimeout(() => end("slow"), timeoutMs);
  // The client's side is secure before the server asks for its certificate (TLS 1.3).
  socket.once("secureConnect", () => end("answers"));
  socket.once("error", () => end("unreachable"));
  return promise;
}
