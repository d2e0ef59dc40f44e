// SPDX-License-Identifier: Apache-2.0
// Big-endian numbers, and text whose characters are bytes.
//
// The hook lives for a few milliseconds. So on the path of a successful call this folder avoids features that JavaScriptCore
// initializes at their first use (`Math`, regular expressions, Uint8Array.from, forEach and map, spreading and iterating
// bytes), and functions that are called so often that they are compiled: a call counts 15, a loop iteration 1, and at 500 the
// compiler starts, which takes a millisecond of processor time. BUN_JSC_reportBaselineCompileTimes=1 shows the compiled
// functions; tests/wire/cold-start.test.ts checks that there are none.

export function readUint24(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) >>>
    0
  );
}

export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** One character per byte, so that every input is valid and can be encoded again. */
export function toByteText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 1) {
    text += String.fromCharCode(bytes[at] ?? 0);
  }
  return text;
}

export function fromByteText(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) {
    bytes[at] = text.charCodeAt(at);
  }
  return bytes;
}

/** As Math.min, without `Math`, whose first use costs 50 microseconds. */
export function smaller(a: number, b: number): number {
  if (a < b) {
    return a;
  }
  return b;
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) {
    length += part.length;
  }
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
