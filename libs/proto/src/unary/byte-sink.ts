// SPDX-License-Identifier: Apache-2.0

/** Collects bytes from buffers that their owner reuses. Its capacity at least doubles when it grows. */
export interface ByteSink {
  readonly length: number;
  append(bytes: Uint8Array): void;
  /** A view; valid until the next `append`. */
  bytes(): Uint8Array;
}

export function createByteSink(): ByteSink {
  let store = new Uint8Array(0);
  let length = 0;
  return {
    get length() {
      return length;
    },
    append(bytes) {
      const needed = length + bytes.length;
      if (needed > store.length) {
        const grown = new Uint8Array(needed + store.length);
        grown.set(store.subarray(0, length));
        store = grown;
      }
      store.set(bytes, length);
      length = needed;
    },
    bytes: () => store.subarray(0, length),
  };
}
