// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import type { MapInfo } from "../core/map-spec.ts";

/** More than any kernel supports: too large a buffer is safe, too small a one is not. */
const MAX_PROCESSORS = 8_192;
const ofOneValue: readonly MapInfo["type"][] = [
  ...([
    "hash",
    "array",
    "prog-array",
    "lru-hash",
    "lpm-trie",
    "array-of-maps",
    "hash-of-maps",
    "ringbuf",
  ] as const),
];

/** Bytes of a value in calls. A map per processor has a value for each possible one, each padded to 8 bytes. */
export function toValueBytes({ type, valueSize }: MapInfo): number {
  if (ofOneValue.includes(type)) return valueSize;
  return Math.ceil(valueSize / 8) * 8 * countProcessors();
}

/** "0-3,8" is five. */
function countProcessors(): number {
  let text: string;
  try {
    text = readFileSync("/sys/devices/system/cpu/possible", "utf8").trim();
  } catch {
    return MAX_PROCESSORS;
  }
  const counts = text.split(",").map((range) => {
    const [first = Number.NaN, last = first] = range.split("-").map(Number);
    return last - first + 1;
  });
  const count = counts.reduce((sum, one) => sum + one, 0);
  return Number.isSafeInteger(count) && count > 0 ? count : MAX_PROCESSORS;
}
