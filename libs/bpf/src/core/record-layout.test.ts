// SPDX-License-Identifier: Apache-2.0
// The layout of bpf/events.h as the compiler has it, by the types in the object.
import { expect, test } from "bun:test";
import { embeddedProcessPrograms } from "../edge/embedded-programs.ts";
import { parseBpfObject } from "./bpf-object.ts";
import { btfKind } from "./btf.ts";
import { findFieldOffset, findTypeSize } from "./btf-field.ts";
import { addressFacets, numberFacets, recordedTexts } from "./facets.ts";
import { ADDRESS_BYTES, leastBytes, recordKinds, recordLayout } from "./record-layout.ts";
import { RULE_SET_BYTES } from "./rule-layout.ts";

const object = parseBpfObject(embeddedProcessPrograms());
if (!object.ok) throw new Error(object.error);
const { btf, maps } = object.value;
const sizeOf = (name: string): number | undefined =>
  findTypeSize(btf, btf.find(btfKind.struct, name)?.id ?? 0);
const offsetOf = (struct: string, ...path: readonly string[]) => findFieldOffset(btf, struct, path);
const fieldSize = (struct: string, field: string): number | undefined => {
  const members = btf.members(btf.find(btfKind.struct, struct)?.id ?? 0);
  return findTypeSize(btf, members.find(({ name }) => name === field)?.type ?? 0);
};

test("each field is where the programs write it", () => {
  const expected = Object.entries(recordLayout).flatMap(([struct, fields]) =>
    Object.keys(fields).map((field) => [struct, field, offsetOf(struct, field) ?? "missing"]),
  );
  const written = Object.entries(recordLayout).flatMap(([struct, fields]) =>
    Object.entries(fields).map(([field, offset]) => [struct, field, offset]),
  );
  expect(written).toEqual(expected);
  expect(written.length).toBeGreaterThan(25);
});

test("a record without texts has these bytes", () => {
  expect(leastBytes).toEqual({
    exec: offsetOf("exec_record", "text") ?? 0,
    exit: sizeOf("exit_record") ?? 0,
    fork: sizeOf("fork_record") ?? 0,
    match: offsetOf("match_record", "text") ?? 0,
    cgroup_gone: sizeOf("cgroup_record") ?? 0,
  });
});

test("a match has as many facets as there are names", () => {
  expect(fieldSize("match_record", "numbers")).toBe(numberFacets.length * 8);
  expect(fieldSize("match_record", "addresses")).toBe(addressFacets.length * ADDRESS_BYTES);
  expect(fieldSize("match_record", "texts")).toBe(recordedTexts.length * 4);
  expect([sizeOf("record_text"), offsetOf("record_text", "length")]).toEqual([4, 2]);
  expect(sizeOf("rule_set")).toBe(RULE_SET_BYTES);
});

test("lost records are counted by their kind", () => {
  const lost = maps.find(({ spec }) => spec.name === "lost_events");
  expect(lost?.spec).toMatchObject({ type: "percpu-array", maxEntries: recordKinds.length, valueSize: 8 });
  expect(maps.find(({ spec }) => spec.name === "events")?.spec).toMatchObject({ type: "ringbuf" });
});
