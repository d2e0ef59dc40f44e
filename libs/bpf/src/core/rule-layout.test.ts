// SPDX-License-Identifier: Apache-2.0
// The layout of bpf/rules.h as the compiler has it, by the types in the object.
import { expect, test } from "bun:test";
import { embeddedPrograms } from "../edge/embedded-programs.ts";
import { parseBpfObject } from "./bpf-object.ts";
import { btfKind } from "./btf.ts";
import { findFieldOffset, findTypeSize } from "./btf-field.ts";
import { addressFacets, numberFacets, textFacets } from "./facets.ts";
import {
  decodePrefix,
  encodePrefix,
  KEY_TEXT_BYTES,
  toAddressPrefix,
  toNumberPrefix,
  toTextPrefix,
} from "./prefix.ts";
import {
  decodeCounts,
  decodeCurrent,
  decodeRuleSet,
  decodeTable,
  encodeAction,
  encodeCurrent,
  encodeRuleSet,
  encodeTable,
  HOOKS,
  LEVELS,
  mapTable,
  RULE_SET_BYTES,
  RULES,
  readGeneration,
  tableBytes,
} from "./rule-layout.ts";
import { decodeOwner, encodeOwner } from "./rule-owner.ts";

const object = parseBpfObject(embeddedPrograms());
if (!object.ok) throw new Error(object.error);
const { btf, maps } = object.value;

const sizeOf = (name: string): number =>
  findTypeSize(btf, btf.find(btfKind.struct, name)?.id ?? 0) ?? Number.NaN;
const offsetOf = (struct: string, ...path: readonly string[]): number =>
  findFieldOffset(btf, struct, path) ?? Number.NaN;
const toSnakeCase = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

test("a set of rules has a bit for each", () => {
  expect([sizeOf("rule_set"), RULE_SET_BYTES]).toEqual([RULES / 8, RULES / 8]);
  const words = new BigUint64Array(encodeRuleSet([0, 63, 64, 255]).slice().buffer);
  expect([...words]).toEqual([(1n << 63n) | 1n, 1n, 0n, 1n << 63n]);
  expect(decodeRuleSet(encodeRuleSet([0, 63, 64, 255]))).toEqual(new Set([0, 63, 64, 255]));
  expect(() => encodeRuleSet([RULES])).toThrow(RangeError);
});

test("each set of a table is where the programs read it", () => {
  expect(tableBytes).toBe(sizeOf("rule_table"));
  const empty = decodeTable(new Uint8Array(tableBytes));
  const seen: string[] = [];
  mapTable(empty, (rules, name, facet) => {
    const table = mapTable(empty, (other, at, number) =>
      at === name && number === facet ? new Set([9]) : other,
    );
    const bytes = encodeTable(table, (1n << 64n) - 1n);
    const start = offsetOf("rule_table", toSnakeCase(name)) + facet * RULE_SET_BYTES;
    expect({ name, facet, set: decodeRuleSet(bytes.subarray(start, start + RULE_SET_BYTES)) }).toEqual({
      ...{ name, facet },
      set: new Set([9]),
    });
    expect(decodeTable(bytes)).toEqual(table);
    const generation = bytes.subarray(
      offsetOf("rule_table", "generation"),
      offsetOf("rule_table", "filtered"),
    );
    expect([...generation]).toEqual(Array(8).fill(0xff));
    if (facet === 0) seen.push(toSnakeCase(name));
    return rules;
  });
  const members = btf.members(btf.find(btfKind.struct, "rule_table")?.id ?? 0).map(({ name }) => name);
  expect(seen).toEqual(members.filter((name) => name !== "filtered" && name !== "generation"));
});

test("the facets with filters have their bits in the order of the sets", () => {
  const empty = decodeTable(new Uint8Array(tableBytes));
  const filteredBy = (wanted: string, facet: number): bigint => {
    const table = mapTable(empty, (rules, name, at) =>
      name === wanted && at === facet ? new Set([200]) : rules,
    );
    return new DataView(encodeTable(table, 0n).buffer).getBigUint64(offsetOf("rule_table", "filtered"), true);
  };
  const { length: numbers } = numberFacets;
  const { length: texts } = textFacets;
  expect([filteredBy("numbers", 1), filteredBy("masks", 1)]).toEqual([2n, 1n << BigInt(numbers + 1)]);
  const [first, endings] = [2 * numbers, 2 * numbers + texts];
  expect([filteredBy("texts", 0), filteredBy("endings", 0), filteredBy("addresses", 1)]).toEqual([
    ...[1n << BigInt(first), 1n << BigInt(endings), 1n << BigInt(endings + texts + 1)],
  ]);
  expect([filteredBy("active", 0), filteredBy("absentTexts", 2)]).toEqual([0n, 0n]);
});

test("the deepest level comes first, and what follows the list is 0", () => {
  const bytes = encodeCurrent({ version: 1, levels: new Set([3, 4]) });
  expect(bytes).toHaveLength(sizeOf("current_rules"));
  const at = offsetOf("current_rules", "levels");
  expect([...bytes.subarray(at, at + LEVELS)]).toEqual([4, 3, 0, 0, 0, 0, 0, 0]);
  expect(bytes[offsetOf("current_rules", "version")]).toBe(1);
  expect(decodeCurrent(bytes)).toEqual({ version: 1, levels: new Set([4, 3]) });
});

test("a prefix has its bits first, then the facet, then the value", () => {
  expect([sizeOf("text_key"), offsetOf("text_key", "facet"), offsetOf("text_key", "text")]).toEqual([
    ...[5 + KEY_TEXT_BYTES, 4, 5],
  ]);
  expect([offsetOf("number_key", "number"), offsetOf("address_key", "address")]).toEqual([5, 5]);
  const prefixes = [
    { struct: "text_key", prefix: toTextPrefix(2, "/bin/", "prefix"), head: [48, 0, 0, 0, 2, 0x2f, 0x62] },
    { struct: "text_key", prefix: toTextPrefix(2, "ab", "exact"), head: [32, 0, 0, 0, 2, 0x61, 0x62, 0] },
    { struct: "text_key", prefix: toTextPrefix(5, "ab", "postfix"), head: [24, 0, 0, 0, 5, 0x62, 0x61] },
    {
      struct: "number_key",
      prefix: toNumberPrefix(7, 80n, 64),
      head: [72, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 80],
    },
    {
      ...{ struct: "address_key", prefix: toAddressPrefix(1, "fd00::1/8") },
      head: [16, 0, 0, 0, 1, 0xfd, 0, 0],
    },
  ];
  for (const { struct, prefix, head } of prefixes) {
    if (prefix === undefined) throw new Error("no prefix");
    const key = encodePrefix(prefix, sizeOf(struct));
    expect([...key.subarray(0, head.length)]).toEqual(head);
    expect(decodePrefix(key, prefix.bytes.length)).toEqual(prefix);
  }
});

test("an action and its limit", () => {
  const bytes = encodeAction({
    ...{ signal: 15, error: 13, generation: 7 },
    rate: { seconds: 2, scope: "process" },
  });
  expect(bytes).toHaveLength(sizeOf("rule_action"));
  const view = new DataView(bytes.buffer);
  expect(view.getUint32(offsetOf("rule_action", "signal"), true)).toBe(15);
  expect(view.getUint32(offsetOf("rule_action", "error"), true)).toBe(13);
  expect(view.getBigUint64(offsetOf("rule_action", "rate_nanoseconds"), true)).toBe(2_000_000_000n);
  expect(view.getUint32(offsetOf("rule_action", "rate_scope"), true)).toBe(2);
  expect(view.getUint32(offsetOf("rule_action", "generation"), true)).toBe(7);
  expect(readGeneration(bytes)).toBe(7);
});

test("counts of all processors are added up", () => {
  const names = ["post", "signal", "monitor_signal", "override", "monitor_override", "nopost"];
  const members = btf.members(btf.find(btfKind.struct, "rule_count")?.id ?? 0).map(({ name }) => name);
  expect(members).toEqual(names);
  expect(sizeOf("rule_count")).toBe(names.length * 8);
  const perProcessor = names.map((_, at) => BigInt(at + 1));
  const bytes = new Uint8Array(BigUint64Array.from([...perProcessor, ...perProcessor]).buffer);
  expect(decodeCounts(bytes)).toEqual({
    ...{ post: 2n, signal: 4n, monitorSignal: 6n, override: 8n, monitorOverride: 10n, nopost: 12n },
  });
});

test("an owner that does not fit is refused", () => {
  const owner = { key: "team/policy/kprobes[0].selectors[1]", digest: "ab12" };
  const bytes = encodeOwner(owner);
  if (!bytes.ok) throw new Error(bytes.error);
  expect(bytes.value).toHaveLength(sizeOf("rule_owner"));
  expect(decodeOwner(bytes.value)).toEqual(owner);
  expect(encodeOwner({ ...owner, key: "é".repeat(600) })).toMatchObject({ ok: false });
});

test("a map's keys and values are of these types", () => {
  const specOf = (name: string) => maps.find(({ spec }) => spec.name === name)?.spec;
  expect(specOf("rule_tables")).toMatchObject({ keySize: 4, valueSize: tableBytes, maxEntries: 2 });
  expect(specOf("hook_rules")).toMatchObject({ maxEntries: HOOKS, valueSize: RULE_SET_BYTES });
  expect(specOf("container_rules")).toMatchObject({ keySize: 8, valueSize: RULE_SET_BYTES });
  expect(specOf("mask_filters")?.maxEntries).toBe(numberFacets.length * 64);
  for (const [name, key] of [
    ...([
      ["number_filters", "number_key"],
      ["address_filters", "address_key"],
    ] as const),
    ...([
      ["text_filters", "text_key"],
      ["text_endings", "text_key"],
    ] as const),
  ])
    expect(specOf(name)).toMatchObject({ type: "lpm-trie", keySize: sizeOf(key), valueSize: RULE_SET_BYTES });
  expect(addressFacets.length).toBe(2);
});
