// SPDX-License-Identifier: Apache-2.0

/** An entry of `bpftool --json map dump`: bytes as "0x2a" each, lowest first. */
export interface MapEntry {
  readonly key: readonly string[];
  readonly value: readonly string[];
}

export const toNumber = (bytes: readonly string[]): bigint =>
  bytes.reduceRight((value, byte) => value * 256n + BigInt(byte), 0n);

/** Each outer key with the keys of its inner map; read from the kernel, an outer value is the inner map's id. */
export const readMapOfMaps = (
  outer: readonly MapEntry[],
  dumpInner: (id: string) => readonly MapEntry[],
): ReadonlyMap<bigint, ReadonlySet<bigint>> =>
  new Map(
    outer.map(({ key, value }) => [
      toNumber(key),
      new Set(dumpInner(String(toNumber(value))).map((entry) => toNumber(entry.key))),
    ]),
  );
