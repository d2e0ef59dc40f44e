// SPDX-License-Identifier: Apache-2.0
// Several byte streams over one socket (containerd/nri pkg/net/multiplex/mux.go): 4 bytes connection id, 4 bytes
// length, payload; big-endian. The connections exist without a handshake.

import { createByteQueue } from "./byte-queue.ts";

/** Connection id of the runtime's calls to the plugin. */
export const PLUGIN_SERVICE_CONNECTION = 1;
/** Connection id of the plugin's calls to the runtime. */
export const RUNTIME_SERVICE_CONNECTION = 2;

const HEADER_BYTES = 8;

/**
 * Go's multiplexer reads each connection through a buffer of this size. It rejects a longer frame, unless the frame is
 * exactly the rest of a message that has begun.
 */
const GO_READER_BYTES = 4096;

/** Encodes one message of a connection in frames that every runtime accepts. */
export function encodeFrames(connectionId: number, message: Uint8Array): Uint8Array {
  const first = message.subarray(0, GO_READER_BYTES);
  const rest = message.subarray(GO_READER_BYTES);
  const bytes = new Uint8Array(message.length + HEADER_BYTES * (rest.length === 0 ? 1 : 2));
  writeFrame(bytes, 0, connectionId, first);
  if (rest.length > 0) writeFrame(bytes, HEADER_BYTES + first.length, connectionId, rest);
  return bytes;
}

function writeFrame(into: Uint8Array, at: number, connectionId: number, payload: Uint8Array): void {
  const view = new DataView(into.buffer, into.byteOffset + at, HEADER_BYTES);
  view.setUint32(0, connectionId);
  view.setUint32(4, payload.length);
  into.set(payload, at + HEADER_BYTES);
}

export interface Demultiplexer {
  receive(bytes: Uint8Array): void;
}

/**
 * Passes on each piece of payload as it arrives, valid during the call. Only a frame's header is buffered, so that neither
 * long frames nor unknown connections use memory.
 */
export function createDemultiplexer(
  onPayload: (connectionId: number, bytes: Uint8Array) => void,
): Demultiplexer {
  const header = createByteQueue();
  let connectionId = 0;
  let left = 0;
  return {
    receive(bytes) {
      let rest = bytes;
      while (rest.length > 0) {
        if (left > 0) {
          const payload = rest.subarray(0, left);
          left -= payload.length;
          rest = rest.subarray(payload.length);
          onPayload(connectionId, payload);
          continue;
        }
        const wanted = HEADER_BYTES - header.length;
        header.push(rest.subarray(0, wanted));
        rest = rest.subarray(wanted);
        const whole = header.take(HEADER_BYTES);
        if (whole === undefined) return;
        const view = new DataView(whole.buffer);
        connectionId = view.getUint32(0);
        left = view.getUint32(4);
      }
    },
  };
}
