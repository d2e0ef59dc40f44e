// SPDX-License-Identifier: Apache-2.0

import { type Prefix, toPrefixName } from "./prefix.ts";

/** Values by prefix. A lookup takes a step for each length that a prefix of the group has, however many there are. */
export interface PrefixGroup<T> {
  readonly size: number;
  set(prefix: Prefix, value: T): void;
  delete(prefix: Prefix): void;
  has(prefix: Prefix): boolean;
  /** The value of the longest prefix that covers this one. */
  find(prefix: Prefix): T | undefined;
  entries(): Iterable<{ readonly prefix: Prefix; readonly value: T }>;
}

export function createPrefixGroup<T>(): PrefixGroup<T> {
  const entries = new Map<string, { readonly prefix: Prefix; readonly value: T }>();
  /** How many prefixes have so many bits. */
  const lengths = new Map<number, number>();
  const nameOf = (prefix: Prefix): string => toPrefixName(prefix, prefix.bits);
  return {
    get size() {
      return entries.size;
    },
    set(prefix, value) {
      const name = nameOf(prefix);
      if (!entries.has(name)) lengths.set(prefix.bits, (lengths.get(prefix.bits) ?? 0) + 1);
      entries.set(name, { prefix, value });
    },
    delete(prefix) {
      if (!entries.delete(nameOf(prefix))) return;
      const left = (lengths.get(prefix.bits) ?? 0) - 1;
      if (left === 0) lengths.delete(prefix.bits);
      else lengths.set(prefix.bits, left);
    },
    has: (prefix) => entries.has(nameOf(prefix)),
    find(prefix) {
      let longest: { readonly bits: number; readonly value: T } | undefined;
      for (const bits of lengths.keys()) {
        if (bits > prefix.bits || bits < (longest?.bits ?? 0)) continue;
        const found = entries.get(toPrefixName(prefix, bits));
        if (found !== undefined) longest = { bits, value: found.value };
      }
      return longest?.value;
    },
    entries: () => entries.values(),
  };
}
