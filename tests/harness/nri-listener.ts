// SPDX-License-Identifier: Apache-2.0
// Where a plugin finds the runtime that the tests play: a unix socket, or the end of a socket pair.
import { read, rmSync, write } from "node:fs";
import { createServer, type Socket } from "node:net";
import { type NriRuntimeOptions, openRuntimeSide, type RuntimeSide } from "./nri-runtime.ts";
import { waitFor } from "./wait.ts";

export interface NriListener {
  /** The plugins that have connected, in order. */
  readonly runtimeSides: readonly RuntimeSide[];
  /** The first one after this call that has been synchronized. */
  nextPlugin(): Promise<RuntimeSide>;
  close(): Promise<void>;
}

/** A runtime takes one plugin after the other; an old socket in its place is removed first, as runtimes do. */
export async function openNriListener(socketPath: string, options: NriRuntimeOptions): Promise<NriListener> {
  const runtimeSides: RuntimeSide[] = [];
  const sockets = new Set<Socket>();
  let lastReady: Promise<unknown> = Promise.resolve();
  let seen = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.pause();
    lastReady = lastReady.then(async () => {
      const runtimeSide = openRuntimeSide(
        { send: (bytes) => void socket.write(bytes), close: () => void socket.destroy() },
        options,
      );
      socket.on("data", runtimeSide.peer.receive);
      socket.on("error", (error) => runtimeSide.peer.close(error.message));
      socket.on("close", () => {
        sockets.delete(socket);
        runtimeSide.peer.close("the plugin closed the connection");
      });
      socket.resume();
      runtimeSides.push(runtimeSide);
      await runtimeSide.ready;
    });
  });
  rmSync(socketPath, { force: true });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    runtimeSides,
    async nextPlugin() {
      const number = seen++;
      const runtimeSide = await waitFor("a plugin connects", () => runtimeSides[number]);
      const ready = await runtimeSide.ready;
      if (ready !== "ready") throw new Error(`the plugin is not ready: ${ready.failure}`);
      return runtimeSide;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      for (const { peer } of runtimeSides) peer.close("the runtime ended");
      await closed;
      rmSync(socketPath, { force: true });
    },
  };
}

/** Bun's own pipes do not block. */
const isBusy = (error: NodeJS.ErrnoException | null): boolean => error?.code === "EAGAIN";

/** For a plugin that was launched: fd is our end of its socket pair (the entry 3 of Bun.spawn's stdio, a "pipe"). */
export function connectLaunchedPlugin(fd: number, options: NriRuntimeOptions): RuntimeSide {
  let written: Promise<void> = Promise.resolve();
  let isOpen = true;
  const sendAll = async (bytes: Uint8Array): Promise<void> => {
    for (let at = 0; at < bytes.length && isOpen; ) {
      at += await new Promise<number>((resolve) => {
        write(fd, bytes, at, bytes.length - at, null, (error, count) => {
          if (error === null) return resolve(count);
          if (!isBusy(error)) isOpen = false;
          setTimeout(resolve, 1, 0);
        });
      });
    }
  };
  const runtimeSide = openRuntimeSide(
    {
      send(bytes) {
        written = written.then(() => sendAll(bytes));
      },
      close() {
        isOpen = false;
      },
    },
    options,
  );
  const buffer = Buffer.alloc(65536);
  const readOn = (): void => {
    if (!isOpen) return;
    read(fd, buffer, 0, buffer.length, null, (error, count) => {
      if (isBusy(error)) {
        setTimeout(readOn, 1);
      } else if (error !== null || count === 0) {
        runtimeSide.peer.close("the plugin closed the connection");
      } else {
        runtimeSide.peer.receive(buffer.subarray(0, count));
        readOn();
      }
    });
  };
  readOn();
  return runtimeSide;
}
