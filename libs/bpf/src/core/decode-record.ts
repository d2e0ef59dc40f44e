// SPDX-License-Identifier: Apache-2.0
// Reads the records of bpf/events.h.

import { renderIp } from "@rthooks/net";
import type { EventRecord, ExecRecord, MatchRecord, RecordHead } from "./event-records.ts";
import { addressFacets, numberFacets, recordedTexts } from "./facets.ts";
import {
  ADDRESS_BYTES,
  execFlag,
  leastBytes,
  matchFlag,
  NO_TEXT,
  recordKinds,
  recordLayout,
} from "./record-layout.ts";
import { decodeRuleSet } from "./rule-layout.ts";

const REPLACEMENT = "\ufffd";
/** Invalid UTF-8 becomes U+FFFD. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The record of `length` bytes at this place. Undefined for one of an unknown kind, or whose parts are not all within it.
 * `view` is of the same bytes. The result has copies only: the bytes may change afterwards.
 */
export function decodeRecord(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  length: number,
): EventRecord | undefined {
  if (length < 8 || at + length > bytes.length) return undefined;
  const kind = recordKinds[view.getUint32(at, true)];
  if (kind === undefined || length < leastBytes[kind]) return undefined;
  switch (kind) {
    case "exec":
      return decodeExec(bytes, view, at, length);
    case "exit":
      return { kind, ...decodeHead(view, at), exitCode: view.getUint32(at + 56, true) };
    case "fork":
      return {
        kind,
        ...decodeHead(view, at),
        childPid: view.getUint32(at + 56, true),
        childNamespacePid: view.getUint32(at + 60, true),
        childStartTime: view.getBigUint64(at + 64, true),
      };
    case "match":
      return decodeMatch(bytes, view, at, length);
    case "cgroup_gone":
      return { kind, ...decodeHead(view, at), cgroup: view.getBigUint64(at + 56, true) };
  }
}

function decodeHead(view: DataView, at: number): RecordHead {
  return {
    time: view.getBigUint64(at + 8, true),
    container: view.getBigUint64(at + 16, true),
    startTime: view.getBigUint64(at + 24, true),
    pid: view.getUint32(at + 32, true),
    tid: view.getUint32(at + 36, true),
    uid: view.getUint32(at + 40, true),
    parentPid: view.getUint32(at + 44, true),
    parentStartTime: view.getBigUint64(at + 48, true),
  };
}

function decodeExec(bytes: Uint8Array, view: DataView, at: number, length: number): ExecRecord | undefined {
  const pathAt = at + recordLayout.exec_record.text;
  const argumentsAt = pathAt + view.getUint32(at + 64, true);
  const cwdAt = argumentsAt + view.getUint32(at + 68, true);
  const end = cwdAt + view.getUint32(at + 72, true);
  if (end > at + length) return undefined;
  const flags = view.getUint32(at + 76, true);
  const has = (flag: number): boolean => (flags & flag) !== 0;
  return {
    kind: "exec",
    ...decodeHead(view, at),
    auid: has(execFlag.hasAuid) ? view.getUint32(at + 56, true) : undefined,
    namespacePid: view.getUint32(at + 60, true),
    path: has(execFlag.noPath) ? undefined : decoder.decode(bytes.subarray(pathAt, argumentsAt)),
    arguments: has(execFlag.noArguments) ? undefined : splitArguments(bytes.subarray(argumentsAt, cwdAt)),
    areArgumentsCut: has(execFlag.cut),
    cwd: has(execFlag.noCwd) ? undefined : decoder.decode(bytes.subarray(cwdAt, end)),
  };
}

/** Each has a zero after it, unless it was cut. */
function splitArguments(bytes: Uint8Array): readonly string[] {
  if (bytes.length === 0) return [];
  const isComplete = bytes[bytes.length - 1] === 0;
  return decoder.decode(isComplete ? bytes.subarray(0, -1) : bytes).split("\0");
}

function decodeMatch(bytes: Uint8Array, view: DataView, at: number, length: number): MatchRecord | undefined {
  const layout = recordLayout.match_record;
  const flags = view.getUint32(at + layout.flags, true);
  const knownNumbers = view.getUint32(at + layout.known_numbers, true);
  const knownAddresses = view.getUint32(at + layout.known_addresses, true);
  const numbers: { -readonly [K in keyof MatchRecord["numbers"]]: bigint } = {};
  // Without iterators: there are some ten thousand records a second.
  for (let index = 0; index < numberFacets.length; index++) {
    const facet = numberFacets[index];
    if (facet !== undefined && (knownNumbers >>> index) & 1)
      numbers[facet] = view.getBigUint64(at + layout.numbers + index * 8, true);
  }
  const addresses: { -readonly [K in keyof MatchRecord["addresses"]]: string } = {};
  for (let index = 0; index < addressFacets.length; index++) {
    const facet = addressFacets[index];
    const start = at + layout.addresses + index * ADDRESS_BYTES;
    if (facet !== undefined && (knownAddresses >>> index) & 1) addresses[facet] = renderIp(bytes, start);
  }
  const rawBytes: { -readonly [K in keyof MatchRecord["bytes"]]: Uint8Array } = {};
  const texts: { -readonly [K in keyof MatchRecord["texts"]]: string } = {};
  for (let index = 0; index < recordedTexts.length; index++) {
    const facet = recordedTexts[index];
    const start = view.getUint16(at + layout.texts + index * 4, true);
    if (facet === undefined || start === NO_TEXT) continue;
    const textAt = at + layout.text + start;
    const end = textAt + view.getUint16(at + layout.texts + index * 4 + 2, true);
    if (end > at + length) return undefined;
    const text = decoder.decode(bytes.subarray(textAt, end));
    texts[facet] = text;
    if (text.includes(REPLACEMENT)) rawBytes[facet] = bytes.slice(textAt, end);
  }
  return {
    ...decodeHead(view, at),
    kind: "match",
    hook: view.getUint32(at + layout.hook, true),
    isDenied: (flags & matchFlag.denied) !== 0,
    isSignalled: (flags & matchFlag.signalled) !== 0,
    rules: decodeRuleSet(bytes, at + layout.rules),
    enforced: decodeRuleSet(bytes, at + layout.enforced),
    numbers,
    texts,
    bytes: rawBytes,
    addresses,
  };
}
