// SPDX-License-Identifier: Apache-2.0
import type { EventRecord, ExecRecord, MatchRecord, RecordHead } from "./event-records.ts";
import { numberFacets, recordedTexts } from "./facets.ts";
import { execFlag, leastBytes, matchFlag, NO_TEXT, recordKinds, recordLayout } from "./record-layout.ts";
import { encodeRuleSet } from "./rule-layout.ts";

export const recordHead: RecordHead = {
  ...{ time: 5_000_000_000n, container: 77n, startTime: 4_000_000_000n, pid: 10, tid: 11, uid: 1_000 },
  ...{ parentPid: 9, parentStartTime: 3_000_000_000n },
};

const toBytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The record as the programs write it; addresses are left out. */
export function encodeRecord(record: EventRecord): Uint8Array<ArrayBuffer> {
  const texts =
    record.kind === "exec" ? listExecTexts(record) : record.kind === "match" ? listMatchTexts(record) : [];
  const text = Buffer.concat(texts.map((part) => part ?? new Uint8Array()));
  const bytes = new Uint8Array(leastBytes[record.kind] + text.length);
  bytes.set(text, leastBytes[record.kind]);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, recordKinds.indexOf(record.kind), true);
  view.setUint32(4, bytes.length, true);
  for (const [at, value] of [
    [8, record.time],
    [16, record.container],
    [24, record.startTime],
    [48, record.parentStartTime],
  ] as const)
    view.setBigUint64(at, value, true);
  for (const [at, value] of [
    [32, record.pid],
    [36, record.tid],
    [40, record.uid],
    [44, record.parentPid],
  ] as const)
    view.setUint32(at, value, true);
  encodeRest(view, bytes, record, texts);
  return bytes;
}

function encodeRest(
  view: DataView,
  bytes: Uint8Array,
  record: EventRecord,
  texts: readonly (Uint8Array | undefined)[],
): void {
  switch (record.kind) {
    case "exec": {
      view.setUint32(56, record.auid ?? 0, true);
      view.setUint32(60, record.namespacePid, true);
      for (const [at, part] of texts.entries()) view.setUint32(64 + at * 4, part?.length ?? 0, true);
      const flags = [
        record.areArgumentsCut ? execFlag.cut : 0,
        record.path === undefined ? execFlag.noPath : 0,
        record.arguments === undefined ? execFlag.noArguments : 0,
        record.cwd === undefined ? execFlag.noCwd : 0,
        record.auid === undefined ? 0 : execFlag.hasAuid,
      ];
      view.setUint32(
        76,
        flags.reduce((all, one) => all | one, 0),
        true,
      );
      return;
    }
    case "exit":
      view.setUint32(56, record.exitCode, true);
      return;
    case "fork":
      view.setUint32(56, record.childPid, true);
      view.setUint32(60, record.childNamespacePid, true);
      view.setBigUint64(64, record.childStartTime, true);
      return;
    case "cgroup_gone":
      view.setBigUint64(56, record.cgroup, true);
      return;
    case "match":
      encodeMatch(view, bytes, record, texts);
  }
}

function encodeMatch(
  view: DataView,
  bytes: Uint8Array,
  record: MatchRecord,
  texts: readonly (Uint8Array | undefined)[],
): void {
  const layout = recordLayout.match_record;
  view.setUint32(layout.hook, record.hook, true);
  view.setUint32(
    layout.flags,
    (record.isDenied ? matchFlag.denied : 0) | (record.isSignalled ? matchFlag.signalled : 0),
    true,
  );
  bytes.set(encodeRuleSet(record.rules), layout.rules);
  bytes.set(encodeRuleSet(record.enforced), layout.enforced);
  let known = 0;
  for (const [index, facet] of numberFacets.entries()) {
    const value = record.numbers[facet];
    if (value === undefined) continue;
    known |= 1 << index;
    view.setBigUint64(layout.numbers + index * 8, value, true);
  }
  view.setUint32(layout.known_numbers, known, true);
  let start = 0;
  for (const [index, part] of texts.entries()) {
    view.setUint16(layout.texts + index * 4, part === undefined ? NO_TEXT : start, true);
    view.setUint16(layout.texts + index * 4 + 2, part?.length ?? 0, true);
    start += part?.length ?? 0;
  }
}

const listExecTexts = ({ path, arguments: words, cwd }: ExecRecord): readonly (Uint8Array | undefined)[] => [
  toBytes(path ?? ""),
  toBytes((words ?? []).map((word) => `${word}\0`).join("")),
  toBytes(cwd ?? ""),
];

const listMatchTexts = ({ texts }: MatchRecord): readonly (Uint8Array | undefined)[] =>
  recordedTexts.map((facet) => {
    const text = texts[facet];
    return text === undefined ? undefined : toBytes(text);
  });
