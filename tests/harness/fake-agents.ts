// SPDX-License-Identifier: Apache-2.0
// Agents that misbehave, one named behaviour each, on a unix socket.
import { renameSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { type Metadata, Server, ServerCredentials, type status } from "@grpc/grpc-js";
import { RuntimeHookRequest, RuntimeHookResponse } from "@rthooks/proto";
import type { Workspace } from "./workspace.ts";

// RFC 9113 §4.1: 24-bit length, type, flags, 31-bit stream id.
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: readonly number[] = [],
): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, Buffer.from(payload)]);
}

const settings = frame(4, 0, 0);
const settingsAck = frame(4, 1, 0);
// Static-table index 8 is ":status: 200" (RFC 7541 appendix A).
const headers = frame(1, 4, 1, [0x88]);
const ping = frame(6, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8]);
const goAwayBeforeOurs = frame(7, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]);
// An empty message: no compression, length 0 (the gRPC length prefix).
const emptyMessage = frame(0, 0, 1, [0, 0, 0, 0, 0]);

function flood(socket: Socket, bytes: Buffer): void {
  const many = Buffer.concat(Array.from({ length: 1_000 }, () => bytes));
  const more = () => {
    while (!socket.destroyed && socket.write(many));
  };
  socket.on("drain", more);
  more();
}

function drip(socket: Socket, bytes: Buffer): void {
  let sent = 0;
  const timer = setInterval(() => {
    if (socket.destroyed || sent >= bytes.length) return clearInterval(timer);
    socket.write(bytes.subarray(sent, ++sent));
  }, 30);
}

/** What each does with a new connection. None of them ever gives a valid answer in time. */
export const badAgents = {
  "accepts and stays silent": () => {},
  "closes at once": (socket) => socket.destroy(),
  "settings, then silence": (socket) => socket.write(Buffer.concat([settings, settingsAck])),
  "half a frame header": (socket) => socket.write(settings.subarray(0, 5)),
  "half a frame": (socket) => socket.write(Buffer.concat([settings, headers.subarray(0, 9)])),
  "headers, then silence": (socket) => socket.write(Buffer.concat([settings, headers])),
  "message without trailers": (socket) => socket.write(Buffer.concat([settings, headers, emptyMessage])),
  "HTTP/1.1": (socket) => socket.end("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"),
  "zero bytes": (socket) => socket.write(Buffer.alloc(100_000)),
  "a frame of 16 MB": (socket) =>
    socket.write(Buffer.concat([settings, Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])])),
  "PING flood": (socket) => {
    socket.write(settings);
    flood(socket, ping);
  },
  "SETTINGS flood": (socket) => flood(socket, settings),
  "unknown frames without end": (socket) => {
    socket.write(settings);
    flood(socket, frame(0xee, 0, 0, [0]));
  },
  "DATA flood": (socket) => {
    socket.write(Buffer.concat([settings, headers]));
    flood(
      socket,
      frame(
        0,
        0,
        1,
        Array.from({ length: 1_024 }, () => 7),
      ),
    );
  },
  "CONTINUATION flood": (socket) => {
    socket.write(Buffer.concat([settings, frame(1, 0, 1, [0x88])]));
    flood(socket, frame(9, 0, 1));
  },
  GOAWAY: (socket) => socket.end(Buffer.concat([settings, goAwayBeforeOurs])),
  RST_STREAM: (socket) => socket.write(Buffer.concat([settings, frame(3, 0, 1, [0, 0, 0, 2])])),
  "dies mid-way": (socket) => {
    socket.write(Buffer.concat([settings, headers.subarray(0, 5)]));
    setTimeout(() => socket.destroy(), 20);
  },
  "one byte every 30 ms": (socket) =>
    drip(socket, Buffer.concat([settings, ...Array.from({ length: 100 }, () => ping)])),
} satisfies Readonly<Record<string, (socket: Socket) => unknown>>;

export type BadAgent = keyof typeof badAgents;

let count = 0;

/** Listens with a behaviour of one's own; returns the socket's path. */
export async function startRawAgent(
  workspace: Workspace,
  onConnection: (socket: Socket) => unknown,
): Promise<string> {
  const path = workspace.path(`raw-${++count}.sock`);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
    // Unread bytes would keep the peer's close from being seen.
    socket.on("data", () => {});
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  workspace.onClose(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return path;
}

export function startBadAgent(workspace: Workspace, behaviour: BadAgent): Promise<string> {
  return startRawAgent(workspace, badAgents[behaviour]);
}

/** A socket file that nobody listens on any more: connecting is refused. */
export async function createStaleSocket(workspace: Workspace): Promise<string> {
  const path = workspace.path(`stale-${++count}.sock`);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.new`, resolve));
  // The server removes its file by its first name when it closes.
  renameSync(`${path}.new`, path);
  await new Promise((resolve) => server.close(resolve));
  rmSync(`${path}.new`, { force: true });
  return path;
}

export interface RecordedAgent {
  readonly socketPath: string;
  readonly requests: readonly RuntimeHookRequest[];
  /** Of each request: whether the caller vouches for the pod that it names. */
  readonly trusted: readonly boolean[];
}

/** A real gRPC server that records each RuntimeHook and answers, or fails as told. */
export async function startRecordingAgent(
  workspace: Workspace,
  failure?: { readonly code: status; readonly details: string },
): Promise<RecordedAgent> {
  const socketPath = workspace.path(`recording-${++count}.sock`);
  const requests: RuntimeHookRequest[] = [];
  const trusted: boolean[] = [];
  const server = new Server({ "grpc.max_receive_message_length": 64 * 1024 * 1024 });
  server.addService(
    {
      runtimeHook: {
        path: "/tetragon.FineGuidanceSensors/RuntimeHook",
        requestStream: false,
        responseStream: false,
        requestSerialize: (message: RuntimeHookRequest) =>
          Buffer.from(RuntimeHookRequest.encode(message).finish()),
        requestDeserialize: (bytes: Buffer) => RuntimeHookRequest.decode(bytes),
        responseSerialize: (message: RuntimeHookResponse) =>
          Buffer.from(RuntimeHookResponse.encode(message).finish()),
        responseDeserialize: (bytes: Buffer) => RuntimeHookResponse.decode(bytes),
      },
    },
    {
      runtimeHook: (
        call: { request: RuntimeHookRequest; metadata: Metadata },
        answer: (error: { code: status; details: string } | null, response?: RuntimeHookResponse) => void,
      ) => {
        requests.push(call.request);
        trusted.push(call.metadata.get("rthooks-vouched").length > 0);
        if (failure === undefined) answer(null, {});
        else answer(failure);
      },
    },
  );
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix://${socketPath}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    ),
  );
  workspace.onClose(() => server.forceShutdown());
  return { socketPath, requests, trusted };
}
