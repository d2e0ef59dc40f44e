// SPDX-License-Identifier: Apache-2.0
// The runtime's end of NRI's wire, made anew for the tests: nothing here is shared with what it tests.

/** Connections of the multiplexer. */
export const PLUGIN_SERVICE = 1;
export const RUNTIME_SERVICE = 2;

export interface WireMessage {
  readonly streamId: number;
  /** 1 request, 2 response, 3 data. */
  readonly type: number;
  readonly body: Buffer;
}

/** One frame of the multiplexer. */
export function toMuxFrame(connection: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(connection, 0);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

/** One message of ttrpc. */
export function toTtrpcMessage({ streamId, type, body }: WireMessage): Buffer {
  const header = Buffer.alloc(10);
  header.writeUInt32BE(body.length, 0);
  header.writeUInt32BE(streamId, 4);
  header.writeUInt8(type, 8);
  return Buffer.concat([header, body]);
}

/** Go's writer hands over the buffer of its bufio.Writer: the first 4,096 bytes, then what is left, as frames. */
export function toGoFrames(connection: number, message: Buffer): Buffer {
  const first = toMuxFrame(connection, message.subarray(0, 4096));
  return message.length <= 4096
    ? first
    : Buffer.concat([first, toMuxFrame(connection, message.subarray(4096))]);
}

/** The trunk, cut into frames. */
export function createMuxReader(onFrame: (connection: number, payload: Buffer) => void) {
  let pending = Buffer.alloc(0);
  return (bytes: Uint8Array): void => {
    pending = Buffer.concat([pending, bytes]);
    while (pending.length >= 8) {
      const length = pending.readUInt32BE(4);
      if (pending.length < 8 + length) return;
      const connection = pending.readUInt32BE(0);
      const payload = Buffer.from(pending.subarray(8, 8 + length));
      pending = pending.subarray(8 + length);
      onFrame(connection, payload);
    }
  };
}

const GO_BUFFER = 4096;
const MAX_BODY = 4 << 20;

export interface GoReaderEvents {
  onMessage(message: WireMessage): void;
  /** A body of more than 4 MiB, which Go passes over. */
  onOversize(streamId: number): void;
  /** A frame that does not fit the buffer it is read into: Go's connection ends with ENOMEM. */
  onNoMemory(frameBytes: number): void;
}

/**
 * Go's way of reading a connection, frame by frame: io.ReadFull(bufio.Reader of 4,096 bytes). A read that wants at
 * least 4,096 bytes while nothing is buffered goes past the buffer; every frame must fit the room it is offered.
 */
export function createGoReader({ onMessage, onOversize, onNoMemory }: GoReaderEvents) {
  let buffered: Buffer = Buffer.alloc(0);
  let parts: Buffer[] = [];
  let wanted = 10;
  let header: { streamId: number; type: number; length: number } | undefined;
  let isDead = false;

  const take = (bytes: Buffer): void => {
    parts.push(bytes);
    wanted -= bytes.length;
    while (wanted === 0) finish();
  };
  const finish = (): void => {
    const whole = Buffer.concat(parts);
    parts = [];
    if (header === undefined) {
      header = {
        length: whole.readUInt32BE(0),
        streamId: whole.readUInt32BE(4),
        type: whole.readUInt8(8),
      };
      wanted = header.length;
      return;
    }
    const { streamId, type, length } = header;
    header = undefined;
    wanted = 10;
    if (length > MAX_BODY) onOversize(streamId);
    else onMessage({ streamId, type, body: whole });
  };
  const drain = (): void => {
    while (buffered.length > 0) {
      const piece = buffered.subarray(0, wanted);
      buffered = buffered.subarray(piece.length);
      take(piece);
    }
  };

  return (frame: Buffer): void => {
    if (isDead) return;
    const room = wanted >= GO_BUFFER ? wanted : GO_BUFFER;
    if (frame.length > room) {
      isDead = true;
      onNoMemory(frame.length);
      return;
    }
    if (wanted >= GO_BUFFER) {
      take(frame);
      return;
    }
    buffered = frame;
    drain();
  };
}
