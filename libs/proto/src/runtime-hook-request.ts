// SPDX-License-Identifier: Apache-2.0
// The one message that the hook sends, encoded for a process that does it once: the generated code is made for
// being compiled by a JIT, and takes half a millisecond more on its first run. A test holds the
// two against each other.

import type { CreateContainer } from "./gen/tetragon/sensors.ts";

/** Field numbers of tetragon.CreateContainer, as keys of length-delimited fields: number * 8 + 2. */
const CGROUPS_PATH = 10;
const ROOT_DIR = 18;
const ANNOTATIONS = 26;
const CONTAINER_NAME = 34;
const CONTAINER_ID = 42;
const POD_NAME = 50;
const POD_UID = 58;
const POD_NAMESPACE = 66;
const CONTAINER_IMAGE = 74;
const MOUNTS = 82;

/** A tetragon.RuntimeHookRequest that holds `message`. */
export function encodeRuntimeHookRequest(message: CreateContainer): Uint8Array {
  const out = createWriter();
  const request = out.begin(10);
  out.text(CGROUPS_PATH, message.cgroupsPath);
  out.text(ROOT_DIR, message.rootDir);
  for (const [key, value] of message.annotations) {
    const entry = out.begin(ANNOTATIONS);
    out.text(10, key);
    out.text(18, value);
    out.end(entry);
  }
  out.text(CONTAINER_NAME, message.containerName);
  out.text(CONTAINER_ID, message.containerID);
  out.text(POD_NAME, message.podName);
  out.text(POD_UID, message.podUID);
  out.text(POD_NAMESPACE, message.podNamespace);
  out.text(CONTAINER_IMAGE, message.containerImage);
  for (const { destination, type, source, options } of message.mounts) {
    const mount = out.begin(MOUNTS);
    out.text(10, destination);
    out.text(18, type);
    out.text(26, source);
    for (const option of options) out.text(34, option, true);
    out.end(mount);
  }
  out.end(request);
  return out.bytes();
}

interface Writer {
  /** Without `always`, an empty text is left out, as proto3 has it. */
  text(key: number, text: string, always?: boolean): void;
  /** Opens a message; what it gives back goes to `end`. */
  begin(key: number): number;
  end(start: number): void;
  bytes(): Uint8Array;
}

/**
 * A length stands before what it counts, so room for the longest is left and closed up at the end. Four bytes
 * hold 256 MiB, far more than gRPC lets through.
 */
const LENGTH_BYTES = 4;

/** So many UTF-16 units are less than 128 bytes of UTF-8, and their length is one byte. */
const SHORT_TEXT = 42;

function createWriter(): Writer {
  const encoder = new TextEncoder();
  let buffer = new Uint8Array(8192);
  let at = 0;

  const reserve = (bytes: number): void => {
    if (at + bytes <= buffer.length) return;
    const larger = new Uint8Array((at + bytes) * 2);
    larger.set(buffer.subarray(0, at));
    buffer = larger;
  };

  const begin = (key: number): number => {
    reserve(1 + LENGTH_BYTES);
    buffer[at] = key;
    at += 1 + LENGTH_BYTES;
    return at;
  };

  const end = (start: number): void => {
    const length = at - start;
    const lengthAt = start - LENGTH_BYTES;
    const used = writeVarint(buffer, lengthAt, length);
    buffer.copyWithin(lengthAt + used, start, at);
    at -= LENGTH_BYTES - used;
  };

  return {
    text(key, text, always = false) {
      if (text === "" && !always) return;
      reserve(1 + LENGTH_BYTES + text.length * 3);
      if (text.length <= SHORT_TEXT) {
        const { written } = encoder.encodeInto(text, buffer.subarray(at + 2));
        buffer[at] = key;
        buffer[at + 1] = written;
        at += 2 + written;
        return;
      }
      const start = begin(key);
      at += encoder.encodeInto(text, buffer.subarray(at)).written;
      end(start);
    },
    begin,
    end,
    bytes: () => buffer.subarray(0, at),
  };
}

/** How many bytes it took. */
function writeVarint(buffer: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest > 127; rest >>>= 7) {
    buffer[at] = (rest & 127) | 128;
    at += 1;
  }
  buffer[at] = rest;
  return at + 1 - start;
}
