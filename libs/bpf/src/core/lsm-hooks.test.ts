// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { embeddedHookPrograms } from "../edge/embedded-programs.ts";
import { readKernelBtf } from "../edge/kernel-btf.ts";
import { parseBpfObject } from "./bpf-object.ts";
import { btfKind } from "./btf.ts";
import { ARGUMENTS, reading } from "./hook-constants.ts";
import { checkLsmHook } from "./lsm-arguments.ts";
import { findLsmFacets, lsmHooks } from "./lsm-hooks.ts";

const all = [...lsmHooks.values()];
const btf = readKernelBtf();

test("each hook has a number of its own, behind those of executions and before those of functions", () => {
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  expect(all.every(({ id }) => id >= 16 && id < 256)).toBe(true);
  expect(all.every(({ args }) => args.length <= ARGUMENTS)).toBe(true);
});

test("the arguments of each hook are those of this kernel, or it is said what differs", () => {
  if (!btf.ok) throw new Error(btf.error);
  const kernel = btf.value;
  const differing = all.flatMap((hook) => {
    const checked = checkLsmHook(kernel, hook);
    return checked.ok ? [] : [checked.error];
  });
  // Linux 6.16 took the first argument away.
  for (const reason of differing)
    expect(reason).toMatch(/LSM hook perf_event_open is nothing, not number of 4/);
});

test.each([
  [["path"], "argument 0 of the kernel's LSM hook file_open is pointer to file, not pointer to path"],
  [["int32"], "argument 0 of the kernel's LSM hook file_open is pointer to file, not number of 4 bytes"],
  [["file", "int32"], "argument 1 of the kernel's LSM hook file_open is nothing, not number of 4 bytes"],
] as const)("arguments %j are not those of file_open", (args, error) => {
  if (!btf.ok) throw new Error(btf.error);
  expect(checkLsmHook(btf.value, { id: 16, name: "file_open", args })).toEqual({ ok: false, error });
});

test("what the programs of a hook know is what they set", () => {
  const facetsOf = (name: string): readonly string[] => {
    const hook = lsmHooks.get(name);
    return hook === undefined ? [] : [...findLsmFacets(hook)].toSorted();
  };
  expect(facetsOf("path_mkdir")).toEqual(["arg0", "arg1", "arg2"]);
  expect(facetsOf("task_kill")).toEqual(["arg0", "arg2"]);
  expect(facetsOf("socket_create")).toEqual([
    "arg0",
    "arg1",
    "arg2",
    "arg3",
    "family",
    "protocol",
    "socketType",
  ]);
  expect(facetsOf("socket_connect")).toEqual([
    ...["arg2", "destination", "destinationPort", "family", "protocol", "socketState", "socketType"],
    ...["source", "sourcePort"],
  ]);
});

test("readings have the same numbers in C", () => {
  const object = parseBpfObject(embeddedHookPrograms());
  if (!object.ok) throw new Error(object.error);
  const type = object.value.btf.find(btfKind.enum, "reading");
  const names = [...object.value.btf.enumerators(type?.id ?? 0)];
  expect(names.map(([, value]) => value)).toEqual(Object.values(reading));
  const toName = (name: string): string =>
    name
      .replace("READ_", "")
      .toLowerCase()
      .replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  expect(names.map(([name]) => toName(name))).toEqual(Object.keys(reading));
});
