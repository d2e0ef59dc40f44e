// SPDX-License-Identifier: Apache-2.0
// Bounds the connections whose TLS handshake has not ended: they are no sessions yet, so the bounds of those do not count.

import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";

const MAX_HANDSHAKES = 64;

/** `server`: of node:tls or node:http2. Beyond the bound the oldest is closed. */
export function boundHandshakes(server: EventEmitter, onFailure: (reason: string) => void): void {
  const pending = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    pending.add(socket);
    socket.once("close", () => pending.delete(socket));
    const [oldest] = pending;
    if (oldest === undefined || pending.size <= MAX_HANDSHAKES) return;
    pending.delete(oldest);
    oldest.destroy();
  });
  server.on("secureConnection", (socket: Socket) => pending.delete(socket));
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    pending.delete(socket);
    onFailure(error.code ?? error.message);
  });
}
