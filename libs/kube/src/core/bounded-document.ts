// SPDX-License-Identifier: Apache-2.0
// One JSON document of whatever size, of which no more is in memory than a bound: what is larger is cut down.

import { createJsonFilter, type Keep } from "./json-filter.ts";

export interface Level {
  readonly keep: Keep;
  readonly maxBytes: number;
}

export interface BoundedDocument {
  push(bytes: Uint8Array): void;
  /** Undefined where not even the last level had room. */
  end(): Reduced | undefined;
}

export interface Reduced {
  readonly text: string;
  /** The first of the levels that had room. */
  readonly level: number;
  /** Of the whole document, as it came. */
  readonly bytes: number;
}

/** `levels`: from the one that keeps most. Members of a level have to be among those of the level before. */
export function createBoundedDocument(levels: readonly Level[]): BoundedDocument {
  let level = -1;
  let filter: ((bytes: Uint8Array) => void) | undefined;
  let kept = new Uint8Array(0);
  let size = 0;
  let total = 0;

  const write = (bytes: Uint8Array): void => {
    if (size + bytes.length > kept.length) {
      const larger = new Uint8Array(Math.max(kept.length * 2, size + bytes.length));
      larger.set(kept.subarray(0, size));
      kept = larger;
    }
    kept.set(bytes, size);
    size += bytes.length;
  };

  /** What has come so far goes through the next level. */
  const descend = (): void => {
    level++;
    const before = kept.subarray(0, size);
    kept = new Uint8Array(0);
    size = 0;
    const next = levels[level];
    if (next === undefined) filter = undefined;
    else filter = next.keep === true ? write : createJsonFilter(next.keep, write);
    filter?.(before);
  };
  descend();

  return {
    push(bytes) {
      total += bytes.length;
      filter?.(bytes);
      while (size > (levels[level]?.maxBytes ?? 0)) descend();
    },
    end: () =>
      filter === undefined
        ? undefined
        : { text: new TextDecoder().decode(kept.subarray(0, size)), level, bytes: total },
  };
}
