// SPDX-License-Identifier: Apache-2.0
// The encoder of the one message that the hook sends, for a process that encodes it once. The generated code has many small
// functions, and JavaScriptCore compiles each that is called some thirty times, which takes half a millisecond; this encoder
// is one loop over a list of fields. A test compares it with the generated code.

/** A tetragon.CreateContainer, the read-only form of the generated type. */
export interface RuntimeHookMessage {
  readonly cgroupsPath: string;
  readonly rootDir: string;
  readonly annotations: ReadonlyMap<string, string>;
  readonly containerName: string;
  readonly containerID: string;
  readonly podName: string;
  readonly podUID: string;
  readonly podNamespace: string;
  readonly containerImage: string;
  readonly mounts: readonly {
    readonly destination: string;
    readonly type: string;
    readonly source: string;
    readonly options: readonly string[];
  }[];
}

/** Keys of length-delimited fields: the field's number in sensors.proto * 8 + 2. */
const CREATE_CONTAINER = 10;
const ANNOTATIONS = 26;
const MOUNTS = 82;
const MOUNT_OPTIONS = 34;

/** Ends a message within the request, and the request. */
const END = 0;
const END_REQUEST = -1;

/**
 * A length precedes its bytes, so that space for the longest length is reserved and closed up when it is known. Four bytes
 * hold 256 MiB, far above gRPC's limit.
 */
const LENGTH_BYTES = 4;

/** A text of up to so many UTF-16 units has less than 128 bytes in UTF-8, so that its length is one byte. */
const SHORT_TEXT = 42;

/** A tetragon.RuntimeHookRequest that holds the message. */
export function encodeRuntimeHookRequest(message: RuntimeHookMessage): Uint8Array {
  // Pairs: a key and its text; a key and `undefined`, which begins a message; END and `undefined`.
  const parts: (number | string | undefined)[] = [10, message.cgroupsPath, 18, message.rootDir];
  for (const [key, value] of message.annotations) {
    parts.push(ANNOTATIONS, undefined, 10, key, 18, value, END, undefined);
  }
  parts.push(34, message.containerName, 42, message.containerID, 50, message.podName);
  parts.push(58, message.podUID, 66, message.podNamespace, 74, message.containerImage);
  for (const { destination, type, source, options } of message.mounts) {
    parts.push(MOUNTS, undefined, 10, destination, 18, type, 26, source);
    // An empty element of a list is encoded, unlike an empty field.
    for (const option of options) parts.push(-MOUNT_OPTIONS, option);
    parts.push(END, undefined);
  }
  parts.push(END_REQUEST, undefined);
  return encodeParts(parts);
}

function encodeParts(parts: readonly (number | string | undefined)[]): Uint8Array {
  const encoder = new TextEncoder();
  const requestStart = 1 + LENGTH_BYTES;
  let buffer = new Uint8Array(8192);
  let at = requestStart;
  let messageStart = 0;
  for (let index = 0; index < parts.length; index += 2) {
    const key = Number(parts[index]);
    const text = parts[index + 1];
    const needed = at + 1 + LENGTH_BYTES + (typeof text === "string" ? text.length * 3 : 0);
    if (needed > buffer.length) {
      const larger = new Uint8Array(needed * 2);
      larger.set(buffer);
      buffer = larger;
    }
    let closes = 0;
    if (typeof text === "string") {
      if (text === "" && key > 0) continue;
      const isShort = text.length <= SHORT_TEXT;
      buffer[at] = key > 0 ? key : -key;
      const start = at + 1 + (isShort ? 1 : LENGTH_BYTES);
      const { written } = encoder.encodeInto(text, buffer.subarray(start));
      at = start + written;
      if (isShort) buffer[start - 1] = written;
      else closes = start;
    } else if (key === END) closes = messageStart;
    else if (key === END_REQUEST) closes = requestStart;
    else {
      buffer[at] = key;
      at += 1 + LENGTH_BYTES;
      messageStart = at;
    }
    if (closes > 0) {
      let lengthEnd = closes - LENGTH_BYTES;
      let rest = at - closes;
      for (; rest > 127; rest >>>= 7) {
        buffer[lengthEnd] = (rest & 127) | 128;
        lengthEnd += 1;
      }
      buffer[lengthEnd] = rest;
      buffer.copyWithin(lengthEnd + 1, closes, at);
      at -= closes - lengthEnd - 1;
    }
  }
  buffer[0] = CREATE_CONTAINER;
  return buffer.subarray(0, at);
}
