// SPDX-License-Identifier: Apache-2.0
import { connect, createServer, type Socket } from "node:net";
import type { Workspace } from "./workspace.ts";

/** Stands before a server on loopback, as a network that can be cut. */
export interface TcpRelay {
  readonly port: number;
  /** Nothing passes any more, and no connection ends: new ones are taken and get nothing. */
  freeze(): void;
  /** The connections of before end at last, as after a time of the kernel's. */
  cut(): void;
  /** New connections pass again; those of before stay dead. */
  thaw(): void;
}

export async function startTcpRelay(workspace: Workspace, upstreamPort: number): Promise<TcpRelay> {
  const sockets = new Set<Socket>();
  let isFrozen = false;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    if (isFrozen) return;
    const upstream = connect(upstreamPort, "127.0.0.1");
    sockets.add(upstream);
    upstream.on("error", () => {});
    const ends = [socket, upstream] as const; // const: a pair
    for (const [from, to] of [ends, [upstream, socket] as const]) {
      from.on("data", (bytes) => {
        if (sockets.has(from) && !frozen.has(from)) to.write(bytes);
      });
      from.on("close", () => {
        if (!frozen.has(from)) to.destroy();
      });
    }
  });
  const frozen = new WeakSet<Socket>();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  workspace.onClose(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the relay has no port");
  return {
    port: address.port,
    freeze() {
      isFrozen = true;
      for (const socket of sockets) frozen.add(socket);
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    thaw() {
      isFrozen = false;
    },
  };
}
