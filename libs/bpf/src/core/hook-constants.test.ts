// SPDX-License-Identifier: Apache-2.0
// The constants of bpf/arguments.h and the maps of bpf/hooks.bpf.c as the compiler has them, by the types in the object.
import { expect, test } from "bun:test";
import { embeddedHookPrograms } from "../edge/embedded-programs.ts";
import { parseBpfObject } from "./bpf-object.ts";
import { btfKind } from "./btf.ts";
import { findFieldOffset, findTypeSize } from "./btf-field.ts";
import { ARGUMENTS, encodeHook, reading } from "./hook-constants.ts";
import { HOOK_POINT_BYTES } from "./hook-point.ts";
import { HOOKS } from "./rule-layout.ts";

const object = parseBpfObject(embeddedHookPrograms());
if (!object.ok) throw new Error(object.error);
const { btf, maps } = object.value;
const sizeOf = (kind: number, name: string): number => {
  const type = btf.find(kind, name);
  return (kind === btfKind.var ? findTypeSize(btf, type?.type ?? 0) : type?.size) ?? Number.NaN;
};

test("a reading has the number that the programs know it by", () => {
  const toConstant = (name: string): string =>
    `READ_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
  const written = Object.entries(reading).map(([name, number]) => [toConstant(name), number] as const);
  expect(new Map(written)).toEqual(new Map(btf.enumerators(btf.find(btfKind.enum, "reading")?.id ?? 0)));
});

test("each field of an argument is where the programs read it", () => {
  const bytes = encodeHook(7, [
    { reading: "nothing" },
    { reading: "facet", offset: 1, bytes: 2, other: 3, otherBytes: 4 },
  ]).get("hook__arguments");
  if (bytes === undefined) throw new Error("no arguments");
  const size = sizeOf(btfKind.struct, "hook_argument");
  const view = new DataView(bytes.buffer);
  const second = ["reading", "offset", "bytes", "other", "other_bytes"].map((field) =>
    view.getUint32(size + (findFieldOffset(btf, "hook_argument", [field]) ?? Number.NaN), true),
  );
  expect(second).toEqual([reading.facet, 1, 2, 3, 4]);
  expect(btf.members(btf.find(btfKind.struct, "hook_argument")?.id ?? 0)).toHaveLength(second.length);
});

test("each constant has as many bytes as the program reads", () => {
  const constants = [...encodeHook(7, [], 1)].map(([name, bytes]) => [name, bytes.length]);
  expect(constants).toEqual(
    ["hook__id", "hook__flags", "hook__arguments"].map((name) => [name, sizeOf(btfKind.var, name)]),
  );
  expect(sizeOf(btfKind.var, "hook__arguments")).toBe(ARGUMENTS * sizeOf(btfKind.struct, "hook_argument"));
});

test("the map of hooks has room for the text of each", () => {
  expect(sizeOf(btfKind.struct, "hook_point")).toBe(HOOK_POINT_BYTES);
  const points = maps.find(({ spec }) => spec.name === "hook_points")?.spec;
  expect(points).toMatchObject({ type: "hash", keySize: 4, valueSize: HOOK_POINT_BYTES, maxEntries: HOOKS });
});
