// SPDX-License-Identifier: Apache-2.0
// The cheapest correct client of one unary RPC: a connection with one call in flight, whose HEADERS are the same
// bytes each time. It keeps both flow-control windows, acknowledges SETTINGS and PING, and takes an answer for
// good only if it has a message and then trailers: gRPC sends a failed unary call's trailers alone.
import { connect, type Socket } from "node:net";

// RFC 9113 §6: frame types and flags.
const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;
const END_STREAM = 1;
const END_HEADERS = 4;
const ACK = 1;

function encodeFrame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const frame = Buffer.alloc(9 + payload.length);
  frame.writeUIntBE(payload.length, 0, 3);
  frame[3] = type;
  frame[4] = flags;
  frame.writeUInt32BE(streamId, 5);
  payload.copy(frame, 9);
  return frame;
}

// RFC 7541 §6.2.2: a literal without indexing whose name is text, both shorter than 127 bytes.
function encodeHeader(name: string, value: string): Buffer {
  const text = (raw: string) => Buffer.concat([Buffer.from([raw.length]), Buffer.from(raw)]);
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}

const headerBlock = (path: string, more: Readonly<Record<string, string>>): Buffer =>
  Buffer.concat([
    encodeHeader(":method", "POST"),
    encodeHeader(":scheme", "http"),
    encodeHeader(":path", path),
    encodeHeader(":authority", "localhost"),
    encodeHeader("content-type", "application/grpc"),
    encodeHeader("te", "trailers"),
    ...Object.entries(more).map(([name, value]) => encodeHeader(name, value)),
  ]);

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Calls until `nextMessage` has no more; resolves with the number of answered calls. Rejects on any failure. */
export function runConnection(
  socketPath: string,
  path: string,
  nextMessage: () => Uint8Array | undefined,
  metadata: Readonly<Record<string, string>> = {},
): Promise<number> {
  const block = headerBlock(path, metadata);
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(socketPath);
    let pending: Buffer = Buffer.alloc(0);
    let streamId = -1;
    let window = 65_535;
    let answered = 0;
    let hasMessage = false;
    let stalled: Buffer | undefined;

    const fail = (reason: string) => {
      socket.destroy();
      reject(new Error(`${reason} (call ${answered + 1})`));
    };
    const flush = () => {
      if (stalled === undefined || window < stalled.length) return;
      const body = stalled;
      stalled = undefined;
      window -= body.length;
      socket.write(
        Buffer.concat([
          encodeFrame(HEADERS, END_HEADERS, streamId, block),
          encodeFrame(DATA, END_STREAM, streamId, body),
        ]),
      );
    };
    const callNext = () => {
      const message = nextMessage();
      if (message === undefined) {
        socket.end();
        return resolve(answered);
      }
      streamId += 2;
      hasMessage = false;
      // The gRPC prefix: not compressed, 32-bit length. The peer's default frame size is never exceeded here.
      stalled = Buffer.concat([Buffer.from([0]), uint32(message.length), message]);
      flush();
    };
    const onFrame = (type: number, flags: number, id: number, payload: Buffer) => {
      if (type === SETTINGS && (flags & ACK) === 0)
        socket.write(encodeFrame(SETTINGS, ACK, 0, Buffer.alloc(0)));
      else if (type === PING && (flags & ACK) === 0) socket.write(encodeFrame(PING, ACK, 0, payload));
      else if (type === GOAWAY) fail("GOAWAY");
      else if (type === RST_STREAM) fail("RST_STREAM");
      else if (type === WINDOW_UPDATE && id === 0) {
        window += payload.readUInt32BE(0);
        flush();
      } else if (type === DATA && id === streamId) hasMessage = true;
      else if (type === HEADERS && id === streamId && (flags & END_STREAM) !== 0) {
        if (!hasMessage) return fail("the call was refused");
        answered++;
        callNext();
      }
    };
    socket.on("connect", () => {
      socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
      socket.write(encodeFrame(SETTINGS, 0, 0, Buffer.alloc(0)));
      // Our own window, opened once for all the answers of a run.
      socket.write(encodeFrame(WINDOW_UPDATE, 0, 0, uint32(0x3fffffff)));
      callNext();
    });
    socket.on("data", (chunk: Buffer) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      let at = 0;
      while (pending.length >= at + 9) {
        const end = at + 9 + pending.readUIntBE(at, 3);
        if (pending.length < end) break;
        const id = pending.readUInt32BE(at + 5) & 0x7fffffff;
        onFrame(pending[at + 3] ?? 0, pending[at + 4] ?? 0, id, pending.subarray(at + 9, end));
        at = end;
      }
      pending = pending.subarray(at);
    });
    socket.on("error", (error) => reject(error));
    socket.on("close", () => reject(new Error("the connection was closed")));
  });
}
