// SPDX-License-Identifier: Apache-2.0
import { connect, createServer, type Socket } from "node:net";
import type { Workspace } from "./workspace.ts";

/** Stands between a hook and an agent: requests pass at once, answers only after `open`. */
export interface Gate {
  readonly address: string;
  /** Bytes of the agent that are being withheld. */
  heldBytes(): number;
  open(): void;
}

export async function createGate(workspace: Workspace, upstreamPath: string): Promise<Gate> {
  const path = workspace.path("gate.sock");
  const held: { readonly to: Socket; readonly bytes: Buffer }[] = [];
  const sockets = new Set<Socket>();
  let isOpen = false;
  const server = createServer((downstream) => {
    const upstream = connect(upstreamPath);
    for (const socket of [downstream, upstream]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    downstream.on("data", (bytes) => upstream.write(bytes));
    downstream.on("end", () => upstream.end());
    upstream.on("data", (bytes: Buffer) => {
      if (isOpen) downstream.write(bytes);
      else held.push({ to: downstream, bytes });
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  workspace.onClose(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    address: `unix://${path}`,
    heldBytes: () => held.reduce((sum, { bytes }) => sum + bytes.length, 0),
    open: () => {
      isOpen = true;
      for (const { to, bytes } of held.splice(0)) to.write(bytes);
    },
  };
}
