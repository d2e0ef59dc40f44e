// SPDX-License-Identifier: Apache-2.0
// One JSON document of any size within bounded memory: a larger document is reduced to fewer of its members.

import { createJsonFilter, type Keep } from "./json-filter.ts";

export interface Level {
  readonly keep: Keep;
  readonly maxBytes: number;
}

export interface BoundedDocument {
  push(bytes: Uint8Array): void;
  /** Undefined if the document exceeds even the last level. */
  end(): Reduced | undefined;
}

export interface Reduced {
  readonly text: string;
  /** Index of the first level that the document fits. */
  readonly level: number;
  /** Size of the received document, before the reduction. */
  readonly bytes: number;
}

/** `levels`: the one that keeps most comes first. The members of a level must be a subset of those before it. */
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

  /** Filters the bytes received so far again, with the next level. */
  const reduce = (): void => {
    level++;
    const before = kept.subarray(0, size);
    kept = new Uint8Array(0);
    size = 0;
    const next = levels[level];
    if (next === undefined) filter = undefined;
    else filter = next.keep === true ? write : createJsonFilter(next.keep, write);
    filter?.(before);
  };
  reduce();

  return {
    push(bytes) {
      total += bytes.length;
      filter?.(bytes);
      while (size > (levels[level]?.maxBytes ?? 0)) reduce();
    },
    end: () =>
      filter === undefined
        ? undefined
        : { text: new TextDecoder().decode(kept.subarray(0, size)), level, bytes: total },
  };
}
