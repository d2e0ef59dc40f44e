// SPDX-License-Identifier: Apache-2.0
// The two ways to a runtime: its socket, and the file that it opened for a plugin that it launched.

import { close, read, write } from "node:fs";
import { connect } from "node:net";
import type { NriPort } from "@rthooks/nri";
import { describeError } from "@rthooks/result";

export interface StreamEvents {
  opened(): void;
  /** Valid during the call. */
  received(bytes: Uint8Array): void;
  /** Told once, also when it was never open; not after the port was closed. */
  ended(reason: string): void;
}

export function dialSocket(path: string, events: StreamEvents): NriPort {
  let isOver = false;
  const end = (reason: string): void => {
    if (isOver) return;
    isOver = true;
    socket.destroy();
    events.ended(reason);
  };
  const socket = connect(path);
  socket.on("connect", () => {
    if (!isOver) events.opened();
  });
  socket.on("data", (bytes: Buffer) => {
    if (!isOver) events.received(bytes);
  });
  socket.on("error", (error) => end(describeError(error)));
  socket.on("close", () => end("the runtime closed the connection"));
  return {
    send(bytes) {
      if (!isOver) socket.write(bytes);
    },
    queuedBytes: () => socket.writableLength,
    close() {
      isOver = true;
      socket.destroy();
    },
  };
}

const READ_BYTES = 64 * 1024;

/** An inherited stream socket, which node:net does not take in Bun: read and written as a file. */
export function openInherited(fd: number, events: StreamEvents): NriPort {
  let isOver = false;
  let queue: Uint8Array[] = [];
  let queuedBytes = 0;
  let isWriting = false;
  const buffer = new Uint8Array(READ_BYTES);

  const end = (reason: string): void => {
    if (isOver) return;
    isOver = true;
    events.ended(reason);
  };

  const readOn = (): void => {
    read(fd, buffer, 0, READ_BYTES, null, (error, count) => {
      if (isOver) return;
      if (error !== null) {
        if (error.code === "EAGAIN" || error.code === "EINTR") setTimeout(readOn, 1);
        else end(describeError(error));
        return;
      }
      if (count === 0) {
        end("the runtime closed the connection");
        return;
      }
      events.received(buffer.subarray(0, count));
      readOn();
    });
  };

  const writeOn = (): void => {
    const [bytes] = queue;
    if (isWriting || bytes === undefined || isOver) return;
    isWriting = true;
    write(fd, bytes, (error, count) => {
      isWriting = false;
      if (isOver) return;
      if (error !== null && error.code !== "EAGAIN" && error.code !== "EINTR") {
        end(describeError(error));
        return;
      }
      const taken = error === null ? count : 0;
      queuedBytes -= taken;
      if (taken === bytes.length) queue.shift();
      else queue[0] = bytes.subarray(taken);
      if (error === null) writeOn();
      else setTimeout(writeOn, 1);
    });
  };

  queueMicrotask(() => {
    if (isOver) return;
    events.opened();
    readOn();
  });
  return {
    send(bytes) {
      if (isOver) return;
      queue.push(bytes);
      queuedBytes += bytes.length;
      writeOn();
    },
    queuedBytes: () => queuedBytes,
    close() {
      if (isOver) return;
      isOver = true;
      queue = [];
      close(fd, () => {});
    },
  };
}
