// SPDX-License-Identifier: Apache-2.0

import { ok, type Result } from "@rthooks/result";
import type { BpfError } from "../core/bpf-error.ts";
import type { BpfMap } from "./bpf-map.ts";

/** All keys of a map with their values. */
export function readEntries(
  map: BpfMap,
): Result<readonly (readonly [key: Uint8Array, value: Uint8Array])[], BpfError> {
  const keys = map.info.type === "array" ? ok(listIndexes(map.info.maxEntries)) : map.keys();
  if (!keys.ok) return keys;
  const entries: [Uint8Array, Uint8Array][] = [];
  for (let at = 0; at < keys.value.length; at += map.info.keySize) {
    const key = keys.value.slice(at, at + map.info.keySize);
    const value = map.lookup(key);
    if (!value.ok) return value;
    if (value.value !== undefined) entries.push([key, value.value]);
  }
  return ok(entries);
}

/** The keys of an array need not be asked for. */
const listIndexes = (count: number): Uint8Array =>
  new Uint8Array(Uint32Array.from({ length: count }, (_, index) => index).buffer);
