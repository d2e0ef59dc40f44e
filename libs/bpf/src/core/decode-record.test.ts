// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { decodeRecord } from "./decode-record.ts";
import { encodeRecord, recordHead } from "./encode-record.fixture.ts";
import type { EventRecord, ExecRecord, MatchRecord } from "./event-records.ts";
import { recordLayout } from "./record-layout.ts";

const decode = (bytes: Uint8Array, length = bytes.length): EventRecord | undefined =>
  decodeRecord(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, length);

const exec: ExecRecord = {
  ...{ kind: "exec", ...recordHead, auid: 0xffffffff, namespacePid: 2, path: "/bin/ls" },
  ...{ arguments: ["ls", "", "-l ö"], areArgumentsCut: false, cwd: "/root" },
};
const match: MatchRecord = {
  ...{ kind: "match", ...recordHead, hook: 300, isDenied: true, isSignalled: false },
  ...{ rules: new Set([0, 255]), enforced: new Set([255]), addresses: {} },
  numbers: { arg0: (1n << 64n) - 1n, destinationPort: 443n, namespacePid: 2n },
  texts: { arg1: "", arg4: "/etc/passwd" },
  bytes: {},
};
const records: readonly EventRecord[] = [
  ...[exec, match],
  { ...exec, auid: undefined, path: undefined, arguments: undefined, cwd: undefined, areArgumentsCut: true },
  { kind: "exit", ...recordHead, exitCode: 9 },
  { kind: "fork", ...recordHead, childPid: 12, childNamespacePid: 3, childStartTime: 4_000_000_001n },
  { kind: "cgroup_gone", ...recordHead, cgroup: 1n << 63n },
];

test.each(records.map((record) => ({ record })))("$record.kind is what was written", ({ record }) => {
  expect(decode(encodeRecord(record))).toEqual(record);
});

test.each(records.map((record) => ({ record })))("of $record.kind a part is nothing", ({ record }) => {
  const bytes = encodeRecord(record);
  for (let length = 0; length < bytes.length; length++) {
    // The rest is there, of another record.
    expect(decode(bytes, length)).toBeUndefined();
    expect(decode(bytes.slice(0, length), bytes.length)).toBeUndefined();
  }
});

test("an unknown kind is nothing", () => {
  const bytes = encodeRecord(exec);
  for (const kind of [0, 6, 0xffffffff]) {
    new DataView(bytes.buffer).setUint32(0, kind, true);
    expect(decode(bytes)).toBeUndefined();
  }
});

test("lengths and places beyond the record are nothing", () => {
  for (const field of ["path_bytes", "arguments_bytes", "cwd_bytes"] as const) {
    for (const value of [1_000, 0x7fffffff, 0xffffffff]) {
      const bytes = encodeRecord(exec);
      new DataView(bytes.buffer).setUint32(recordLayout.exec_record[field], value, true);
      expect(decode(bytes)).toBeUndefined();
    }
  }
  const bytes = encodeRecord(match);
  new DataView(bytes.buffer).setUint16(recordLayout.match_record.texts + 2, 12, true);
  new DataView(bytes.buffer).setUint16(recordLayout.match_record.texts, 0, true);
  expect(decode(bytes)).toBeUndefined();
});

test("of a text that is not UTF-8 the bytes are kept", () => {
  const bytes = encodeRecord({ ...match, texts: { arg1: "\ufeff\u20ac", arg4: "abc" } });
  bytes.set([0xff, 0x00], bytes.length - 3);
  const decoded = decode(bytes);
  bytes.fill(0);
  expect(decoded).toMatchObject({
    texts: { arg1: "\ufeff\u20ac", arg4: "\ufffd\0c" },
    bytes: { arg4: Uint8Array.of(0xff, 0, 0x63) },
  });
  expect(decoded).not.toHaveProperty(["bytes", "arg1"]);
});

test("what is not UTF-8 is replaced", () => {
  const bytes = encodeRecord({ ...exec, path: "/abc" });
  bytes.set([0xff, 0xc3, 0x0a], recordLayout.exec_record.text + 1);
  expect(decode(bytes)).toMatchObject({ path: "/\ufffd\ufffd\n" });
});

test("arguments that were cut end without a zero", () => {
  const bytes = encodeRecord({ ...exec, arguments: ["a", "b"], cwd: "" });
  new DataView(bytes.buffer).setUint32(recordLayout.exec_record.arguments_bytes, 3, true);
  expect(decode(bytes)).toMatchObject({ arguments: ["a", "b"] });
});

test.each([
  { hex: "00000000000000000000ffff0a000001", text: "10.0.0.1" },
  { hex: "fd000000000000000000000000000001", text: "fd00::1" },
])("an address is $text", ({ hex, text }) => {
  const bytes = encodeRecord(match);
  bytes.set(Uint8Array.fromHex(hex), recordLayout.match_record.addresses + 16);
  new DataView(bytes.buffer).setUint32(recordLayout.match_record.known_addresses, 2, true);
  expect(decode(bytes)).toMatchObject({ addresses: { source: text } });
});
