// SPDX-License-Identifier: Apache-2.0
import { createConnection } from "node:net";
import { createUnaryCall, type UnaryOutcome, type UnaryRequest } from "@rthooks/proto/unary";

export interface DriveOptions {
  readonly socketPath: string;
  readonly path: string;
  readonly message?: Uint8Array;
  readonly timeoutMs?: number;
  /** What the peer sent, chunk by chunk, for recording and for waiting. */
  readonly onReceived?: (chunk: Uint8Array) => void;
}

/** Runs one call over a real unix socket, for as long as the peer takes. */
export async function drive(options: DriveOptions): Promise<UnaryOutcome> {
  const request: UnaryRequest = {
    authority: "localhost",
    path: options.path,
    message: options.message ?? new Uint8Array(0),
    userAgent: "rthooks-test",
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  };
  const call = createUnaryCall(request);
  const socket = createConnection(options.socketPath);
  const { promise, resolve } = Promise.withResolvers<void>();
  const step = (): void => {
    const output = call.takeOutput();
    if (output !== undefined) {
      socket.write(output);
    }
    if (call.outcome !== undefined) {
      resolve();
    }
  };
  socket.on("connect", step);
  socket.on("data", (chunk) => {
    const bytes = typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk;
    options.onReceived?.(bytes);
    call.receive(bytes);
    step();
  });
  // Node reports a reset as an error and then closes: the close is what counts.
  socket.on("error", () => {});
  socket.on("close", () => {
    call.close();
    resolve();
  });
  await promise;
  socket.destroy();
  if (call.outcome === undefined) {
    throw new Error("the call ended without an outcome");
  }
  return call.outcome;
}
