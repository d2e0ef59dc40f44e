// SPDX-License-Identifier: Apache-2.0
// The layout of bpf/rules.h as the compiler has it, by the types in the object.
import { expect, test } from "bun:test";
import { embeddedPrograms } from "../edge/embedded-programs.ts";
import { parseBpfObject } from "./bpf-object.ts";
import { btfKind } from "./btf.ts";
import { findFieldOffset, findTypeSize } from "./btf-field.ts";
import {
  decodeEnforcement,
  decodePrefix,
  decodeRuleSet,
  type Enforcement,
  encodeEnforcement,
  encodePrefix,
  encodeRuleSet,
  LEVELS,
  PATH_BYTES,
  RULE_SET_BYTES,
  RULES,
  ruleSetNames,
  toAddressPrefix,
  toPathPrefix,
} from "./rule-layout.ts";

const object = parseBpfObject(embeddedPrograms());
if (!object.ok) throw new Error(object.error);
const { btf, maps } = object.value;

const sizeOf = (name: string): number | undefined =>
  findTypeSize(btf, btf.find(btfKind.struct, name)?.id ?? 0);
const offsetOf = (struct: string, ...path: readonly string[]) => findFieldOffset(btf, struct, path);
const names: Readonly<Record<(typeof ruleSetNames)[number], string>> = {
  ...{ active: "active", denying: "denying", exec: "exec", stream: "stream", datagram: "datagram" },
  anyPort: "any_port",
};
const one: Enforcement = {
  ...{ levels: new Set([3, 4]), active: new Set([0, 255]), denying: new Set([8]), exec: new Set([64]) },
  ...{ stream: new Set([65]), datagram: new Set([127, 128]), anyPort: new Set([200]) },
};

test("a set of rules has a bit for each", () => {
  expect([sizeOf("rule_set"), RULE_SET_BYTES]).toEqual([RULES / 8, RULES / 8]);
  const words = new BigUint64Array(encodeRuleSet([0, 63, 64, 255]).slice().buffer);
  expect([...words]).toEqual([(1n << 63n) | 1n, 1n, 0n, 1n << 63n]);
  expect(decodeRuleSet(encodeRuleSet([0, 63, 64, 255]))).toEqual(new Set([0, 63, 64, 255]));
  expect(() => encodeRuleSet([RULES])).toThrow(RangeError);
});

test("each set of the enforcement is where the programs read it", () => {
  expect(encodeEnforcement(one)).toHaveLength(sizeOf("enforcement") ?? 0);
  expect(btf.members(btf.find(btfKind.struct, "enforcement")?.id ?? 0).map(({ name }) => name)).toEqual([
    "levels",
    ...ruleSetNames.map((name) => names[name]),
  ]);
  const bytes = encodeEnforcement(one);
  for (const name of ruleSetNames) {
    const at = offsetOf("enforcement", names[name]) ?? Number.NaN;
    expect({ name, rules: decodeRuleSet(bytes.subarray(at, at + RULE_SET_BYTES)) }).toEqual({
      name,
      rules: one[name],
    });
  }
  expect(decodeEnforcement(bytes)).toEqual(one);
});

test("the deepest level comes first, and what follows the list is 0", () => {
  expect([...encodeEnforcement(one).subarray(0, LEVELS)]).toEqual([4, 3, 0, 0, 0, 0, 0, 0]);
  expect(offsetOf("enforcement", "active")).toBe(LEVELS);
});

test("a prefix has its bits first", () => {
  expect([sizeOf("path_key"), offsetOf("path_key", "path")]).toEqual([4 + PATH_BYTES, 4]);
  expect([sizeOf("address_key"), offsetOf("address_key", "address")]).toEqual([20, 4]);
  const prefix = toPathPrefix("/bin/", "prefix");
  if (prefix === undefined) throw new Error("no prefix");
  expect([...encodePrefix(prefix).subarray(0, 10)]).toEqual([40, 0, 0, 0, ...Buffer.from("/bin/"), 0]);
  expect(decodePrefix(encodePrefix(prefix))).toEqual(prefix);
});

test("a map's keys and values are of these types", () => {
  const specOf = (name: string) => maps.find(({ spec }) => spec.name === name)?.spec;
  expect(specOf("enforcement")?.valueSize).toBe(encodeEnforcement(one).length);
  expect(specOf("exec_paths")).toMatchObject({ keySize: 4 + PATH_BYTES, valueSize: RULE_SET_BYTES });
  expect(specOf("connect_addresses")).toMatchObject({ keySize: 20, valueSize: RULE_SET_BYTES });
  expect(specOf("rule_counts")).toMatchObject({ maxEntries: RULES, valueSize: 16 });
});

test("an exact path includes its end, and fits or is refused", () => {
  expect(toPathPrefix("/a", "exact")?.bits).toBe(24);
  expect(toPathPrefix(`/${"a".repeat(254)}`, "exact")?.bits).toBe(2_048);
  expect(toPathPrefix(`/${"a".repeat(255)}`, "exact")).toBeUndefined();
  expect(toPathPrefix(`/${"a".repeat(255)}`, "prefix")?.bits).toBe(2_048);
  expect(toPathPrefix("/a\0b", "exact")).toBeUndefined();
});

test.each([
  { text: "169.254.169.254", bits: 128, hex: "00000000000000000000ffffa9fea9fe" },
  { text: "10.1.2.3/8", bits: 104, hex: "00000000000000000000ffff0a000000" },
  { text: "fd00::1/7", bits: 7, hex: `fc${"0".repeat(30)}` },
  { text: "::/0", bits: 0, hex: "0".repeat(32) },
])("an address is a prefix of 128 bits: $text", ({ text, bits, hex }) => {
  expect(toAddressPrefix(text)).toEqual({ bits, bytes: Uint8Array.fromHex(hex) });
});

test.each(["", "example.org", "10.0.0.0/33", "1.2.3", "/8"])("%p is not an address", (text) => {
  expect(toAddressPrefix(text)).toBeUndefined();
});
