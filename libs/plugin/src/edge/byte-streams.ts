// SPDX-License-Identifier: Apache-2.0
// The two transports to a runtime: its NRI socket, and the file descriptor that a launched plugin inherits from it.

import { close, read, write } from "node:fs";
import { connect } from "node:net";
import type { NriPort } from "@rthooks/nri";
import { describeError } from "@rthooks/result";

export interface StreamEvents {
  opened(): void;
  /** Valid during the call. */
  received(bytes: Uint8Array): void;
  /** Called once, also if the stream never opened; not after `close`. */
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

/** An inherited stream socket. Bun's node:net cannot open one by its descriptor, so that it is read and written as a file. */
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

  const readNext = (): void => {
    read(fd, buffer, 0, READ_BYTES, null, (error, count) => {
      if (isOver) return;
      if (error !== null) {
        if (error.code === "EAGAIN" || error.code === "EINTR") setTimeout(readNext, 1);
        else end(describeError(error));
        return;
      }
      if (count === 0) {
        end("the runtime closed the connection");
        return;
      }
      events.received(buffer.subarray(0, count));
      readNext();
    });
  };

  const writeNext = (): void => {
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
      if (error === null) writeNext();
      else setTimeout(writeNext, 1);
    });
  };

  queueMicrotask(() => {
    if (isOver) return;
    events.opened();
    readNext();
  });
  return {
    send(bytes) {
      if (isOver) return;
      queue.push(bytes);
      queuedBytes += bytes.length;
      writeNext();
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
