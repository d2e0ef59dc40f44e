// SPDX-License-Identifier: Apache-2.0
import { connect, createServer, type Socket } from "node:net";
import type { Workspace } from "./workspace.ts";

/** Stands between a hook and an agent: everything passes at once but the answer, which waits for `open`. */
export interface Gate {
  readonly address: string;
  /** Bytes of answers that are being withheld. */
  heldBytes(): number;
  open(): void;
}

/** Bytes of whole leading frames that belong to the connection (stream 0), not to a call. RFC 9113 §4.1. */
function findAnswerStart(bytes: Buffer): number {
  let at = 0;
  while (bytes.length >= at + 9) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    const streamId = bytes.readUInt32BE(at + 5) & 0x7fffffff;
    if (streamId !== 0 || end > bytes.length) break;
    at = end;
  }
  return at;
}

let count = 0;

export async function createGate(workspace: Workspace, upstreamPath: string): Promise<Gate> {
  const path = workspace.path(`gate-${++count}.sock`);
  const held = new Map<Socket, Buffer>();
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
      const all = Buffer.concat([held.get(downstream) ?? Buffer.alloc(0), bytes]);
      const passing = isOpen ? all.length : findAnswerStart(all);
      if (passing > 0) downstream.write(all.subarray(0, passing));
      held.set(downstream, all.subarray(passing));
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  workspace.onClose(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    address: `unix://${path}`,
    heldBytes: () => [...held.values()].reduce((sum, bytes) => sum + bytes.length, 0),
    open: () => {
      isOpen = true;
      for (const [socket, bytes] of held) socket.write(bytes);
      held.clear();
    },
  };
}
