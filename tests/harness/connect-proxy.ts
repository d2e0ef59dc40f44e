// SPDX-License-Identifier: Apache-2.0
import { connect, createServer, type Socket } from "node:net";
import type { Workspace } from "./workspace.ts";

/** An HTTP proxy (CONNECT, RFC 9110 9.3.6) that leads every name to one server on loopback. */
export interface ConnectProxy {
  readonly address: string;
  /** "apiserver.internal:6443", of each request so far. */
  readonly targets: readonly string[];
}

export async function startConnectProxy(workspace: Workspace, upstreamPort: number): Promise<ConnectProxy> {
  const targets: string[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on("error", () => {});
    return socket;
  };
  const server = createServer((client) => {
    keep(client).once("data", (head) => {
      targets.push(head.toString().split(" ")[1] ?? "");
      const upstream = keep(
        connect(upstreamPort, "127.0.0.1", () => {
          client.write("HTTP/1.1 200 Connection established\r\n\r\n");
          client.pipe(upstream).pipe(client);
        }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  workspace.onClose(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return { address: `127.0.0.1:${address.port}`, targets };
}
