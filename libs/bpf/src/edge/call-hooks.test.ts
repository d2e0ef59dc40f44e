// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { ok } from "@rthooks/result";
import { must } from "@rthooks/result/must";
import { findCallPlaces } from "../core/call-places.ts";
import type { BpfMap } from "./bpf-map.ts";
import { type CallHook, openCallHooks } from "./call-hooks.ts";

/** Entries by their keys, as hexadecimal digits. */
function createMap(): Pick<BpfMap, "lookup" | "update"> & { readonly content: Map<string, string> } {
  const content = new Map<string, string>();
  return {
    content,
    lookup: (key) => ok(Uint8Array.fromHex(content.get(key.toHex()) ?? "00".repeat(8))),
    update(key, value) {
      content.set(key.toHex(), value.toHex());
      return ok(undefined);
    },
  };
}
const open = (map: ReturnType<typeof createMap>, known: readonly CallHook[] = []) =>
  must(openCallHooks(map, known));
const hook = (id: number, name: string, list: string): CallHook => ({
  ...{ id, list, places: findCallPlaces(name, "x64") ?? [] },
});
const isEmpty = (map: ReturnType<typeof createMap>): boolean =>
  [...map.content.values()].every((value) => /^0+$/.test(value));

test("a list of arguments has one row, and the next agent finds the hooks in it", () => {
  const map = createMap();
  const hooks = open(map);
  const all = [hook(256, "rmdir", "text"), hook(257, "mkdir", "text"), hook(258, "rmdir", "number")];
  const rows = all.map((one) => {
    const row = must(hooks.findRow(one));
    must(hooks.put(one, row));
    return row;
  });
  expect(rows).toEqual([0, 0, 1]);
  const next = open(map, all);
  expect([...next.ids()]).toEqual([256, 257, 258]);
  expect(all.map((one) => must(next.findRow(one)))).toEqual(rows);
  expect([256, 258, 257].map((id) => must(next.remove(id)))).toEqual([undefined, 1, 0]);
  expect(isEmpty(map)).toBe(true);
});

test("two calls with the same number in the two tables do not touch each other", () => {
  const map = createMap();
  const hooks = open(map);
  // 40 is sendfile in the 64-bit table and rmdir in the other.
  const [rmdir, sendfile] = [hook(256, "rmdir", ""), hook(257, "sendfile", "")];
  must(hooks.put(rmdir, 0));
  must(hooks.put(sendfile, 0));
  must(hooks.remove(257));
  expect([...open(map, [rmdir, sendfile]).ids()]).toEqual([256]);
});

test("32 lists are told apart, and one more is an error of one line", () => {
  const hooks = open(createMap());
  for (let id = 0; id < 32; id++) must(hooks.put(hook(256 + id, "rmdir", String(id)), id));
  expect(hooks.findRow(hook(300, "mkdir", "another"))).toEqual({
    ...{
      ok: false,
      error: "policies read 32 different lists of arguments of system calls, which is the limit",
    },
  });
  expect(hooks.findRow(hook(300, "mkdir", "7"))).toEqual(ok(7));
  must(hooks.remove(256 + 9));
  expect(hooks.findRow(hook(300, "mkdir", "another"))).toEqual(ok(9));
});
