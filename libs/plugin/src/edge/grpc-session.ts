// SPDX-License-Identifier: Apache-2.0
// Unary gRPC calls over one HTTP/2 connection that stays open. grpc-js is not used, since it sends a call in two writes:
// the agent wakes up twice, and a container's start takes about a millisecond longer.

import { readFileSync } from "node:fs";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { connect as connectSocket } from "node:net";
import type { AgentAddress, HookConfig } from "@rthooks/hold";
import { createBackOff } from "@rthooks/net";
import { TRUSTED_HEADER } from "@rthooks/oci";
import { grpcCode } from "@rthooks/proto/grpc-code";
import { decodeGrpcMessage, parseGrpcStatus } from "@rthooks/proto/unary";

interface GrpcCall {
  /** "/package.Service/Method" */
  readonly path: string;
  readonly message: Uint8Array;
  readonly timeoutMs: number;
  readonly userAgent: string;
  /** The sender guarantees the reserved annotation keys of the request (TRUSTED_HEADER). */
  readonly isTrusted: boolean;
}

export type GrpcOutcome =
  | { readonly kind: "answer"; readonly message: Uint8Array }
  | { readonly kind: "status"; readonly code: number; readonly message: string }
  /** Not connected, or the connection broke before the answer. */
  | { readonly kind: "lost" };

export interface GrpcSession {
  /** Calls `onOutcome` once; returns a function that cancels the call. */
  call(call: GrpcCall, onOutcome: (outcome: GrpcOutcome) => void): () => void;
  /** Whether the agent has sent its HTTP/2 settings on this connection. */
  isReady(): boolean;
  close(): void;
}

/** Short, so that a started agent is found at once; an attempt costs one failed connect(2). */
const RECONNECT = { firstMs: 20, longestMs: 100 };
const MAX_ANSWER_BYTES = 64 * 1024;
const PREFIX_BYTES = 5;

export function openGrpcSession(address: AgentAddress, config: HookConfig, onReady: () => void): GrpcSession {
  let session: ClientHttp2Session | undefined;
  let isReady = false;
  let isClosed = false;
  const backOff = createBackOff(RECONNECT);

  const leave = (mine: ClientHttp2Session): void => {
    if (session !== mine) return;
    session = undefined;
    isReady = false;
    mine.destroy();
    if (isClosed) return;
    setTimeout(dial, backOff.next()).unref();
  };

  const dial = (): void => {
    if (isClosed) return;
    let mine: ClientHttp2Session;
    try {
      mine = connectTo(address, config);
    } catch {
      // A certificate file that cannot be read now may appear later.
      setTimeout(dial, RECONNECT.longestMs).unref();
      return;
    }
    session = mine;
    mine.on("remoteSettings", () => {
      if (session !== mine || isReady) return;
      isReady = true;
      backOff.reset();
      onReady();
    });
    mine.on("goaway", () => leave(mine));
    mine.on("error", () => leave(mine));
    mine.on("close", () => leave(mine));
  };
  dial();

  const call: GrpcSession["call"] = ({ path, message, timeoutMs, userAgent, isTrusted }, onOutcome) => {
    let isOver = false;
    const settle = (outcome: GrpcOutcome): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      stream?.close(constants.NGHTTP2_CANCEL);
      onOutcome(outcome);
    };
    const timer = setTimeout(
      () => settle({ kind: "status", code: grpcCode.deadlineExceeded, message: "context deadline exceeded" }),
      timeoutMs,
    );
    let stream: ClientHttp2Stream | undefined;
    try {
      stream = session?.request({
        ":method": "POST",
        ":path": path,
        ":authority": "localhost",
        te: "trailers",
        "content-type": "application/grpc",
        "user-agent": userAgent,
        "grpc-timeout": `${Math.max(1, Math.floor(timeoutMs))}m`,
        ...(isTrusted ? { [TRUSTED_HEADER]: "1" } : {}),
      });
    } catch {
      // The connection has broken; its error event follows.
      stream = undefined;
    }
    if (stream === undefined) queueMicrotask(() => settle({ kind: "lost" }));
    else {
      readAnswer(stream, settle);
      stream.end(toFrame(message));
    }
    return () => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      stream?.close(constants.NGHTTP2_CANCEL);
    };
  };

  return {
    call,
    isReady: () => isReady,
    close() {
      isClosed = true;
      const mine = session;
      session = undefined;
      mine?.destroy();
    },
  };
}

function connectTo(address: AgentAddress, config: HookConfig): ClientHttp2Session {
  if (address.kind === "unix") {
    return connect("http://localhost", { createConnection: () => connectSocket(address.path) });
  }
  if (!address.tls) return connect(`http://${address.target}`);
  const read = (path: string): Buffer | undefined => (path === "" ? undefined : readFileSync(path));
  const ca = read(config["tls-ca-file"]);
  const cert = read(config["tls-cert-file"]);
  const key = read(config["tls-key-file"]);
  return connect(`https://${address.target}`, {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  });
}

/** Uncompressed, and its length (gRPC over HTTP/2, "Length-Prefixed-Message"). */
function toFrame(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(PREFIX_BYTES + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

function readAnswer(stream: ClientHttp2Stream, settle: (outcome: GrpcOutcome) => void): void {
  const pieces: Buffer[] = [];
  let length = 0;
  let code: number | undefined;
  let details = "";
  const readStatus = (headers: Readonly<Record<string, unknown>>): void => {
    const text = headers["grpc-status"];
    if (text === undefined) return;
    code = parseGrpcStatus(String(text));
    details = decodeGrpcMessage(String(headers["grpc-message"] ?? ""));
  };
  const conclude = (): void => {
    if (code === undefined || code !== grpcCode.ok) {
      settle(code === undefined ? { kind: "lost" } : { kind: "status", code, message: details });
      return;
    }
    const bytes = Buffer.concat(pieces);
    const isWhole = bytes.length >= PREFIX_BYTES && bytes.readUInt32BE(1) === bytes.length - PREFIX_BYTES;
    if (isWhole) settle({ kind: "answer", message: new Uint8Array(bytes.subarray(PREFIX_BYTES)) });
    else
      settle({
        kind: "status",
        code: grpcCode.internal,
        message: "the agent broke the protocol: incomplete answer",
      });
  };
  stream.on("response", readStatus);
  stream.on("trailers", (headers) => {
    readStatus(headers);
    conclude();
  });
  stream.on("data", (bytes: Buffer) => {
    length += bytes.length;
    if (length > MAX_ANSWER_BYTES) {
      settle({
        kind: "status",
        code: grpcCode.internal,
        message: "the agent broke the protocol: the answer is too large",
      });
    } else pieces.push(bytes);
  });
  stream.on("end", () => {
    // A response without a body carries the status in its headers (Trailers-Only).
    if (code !== undefined) conclude();
  });
  stream.on("error", () => settle({ kind: "lost" }));
  stream.on("close", conclude);
}
