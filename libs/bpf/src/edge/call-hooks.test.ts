// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { ok } from "@rthooks/result";
import { must } from "@rthooks/result/must";
import { encodeNumber } from "../core/bytes.ts";
import { findCallPlaces } from "../core/call-places.ts";
import { type CallHook, type CallMaps, openCallHooks } from "./call-hooks.ts";

/** Entries by their keys, as hexadecimal digits. */
function createMap(): CallMaps["hooks"] & { readonly content: Map<string, string> } {
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
const createMaps = () => ({ hooks: createMap(), rows: createMap() });
const open = (maps: CallMaps, known: readonly CallHook[] = []) => must(openCallHooks(maps, known));
const hook = (id: number, name: string, list: string): CallHook => ({
  ...{ id, list, places: findCallPlaces(name, "x64") ?? [] },
});
const isEmpty = ({ hooks, rows }: ReturnType<typeof createMaps>): boolean =>
  [...hooks.content.values(), ...rows.content.values()].every((value) => /^0+$/.test(value));
/** Of a call in the 64-bit table, as bits. */
const rowsOf = ({ rows }: ReturnType<typeof createMaps>, name: string): number =>
  Number.parseInt(
    rows.content.get(encodeNumber(findCallPlaces(name, "x64")?.[0]?.place ?? 0).toHex())?.slice(0, 2) ?? "0",
    16,
  );

test("a list of arguments has one row, and the next agent finds the hooks in it", () => {
  const maps = createMaps();
  const hooks = open(maps);
  const all = [hook(256, "rmdir", "text"), hook(257, "mkdir", "text"), hook(258, "rmdir", "number")];
  const rows = all.map((one) => {
    const row = must(hooks.findRow(one));
    must(hooks.put(one, row));
    return row;
  });
  expect(rows).toEqual([0, 0, 1]);
  expect([rowsOf(maps, "rmdir"), rowsOf(maps, "mkdir")]).toEqual([0b11, 0b01]);
  const next = open(maps, all);
  expect([...next.ids()]).toEqual([256, 257, 258]);
  expect(all.map((one) => must(next.findRow(one)))).toEqual(rows);
  must(next.remove(256));
  expect([rowsOf(maps, "rmdir"), rowsOf(maps, "mkdir")]).toEqual([0b10, 0b01]);
  expect(next.rows()).toEqual(new Set([0, 1]));
  must(next.remove(258));
  expect(next.rows()).toEqual(new Set([0]));
  must(next.remove(257));
  expect(isEmpty(maps)).toBe(true);
});

test("the rows of a call are written again for what an earlier agent has left", () => {
  const maps = createMaps();
  const all = [hook(256, "rmdir", "text"), hook(257, "mkdir", "text")];
  const hooks = open(maps);
  for (const one of all) must(hooks.put(one, 0));
  const written = new Map(maps.rows.content);
  maps.rows.content.clear();
  open(maps, all);
  expect(maps.rows.content).toEqual(written);
});

test("two calls with the same number in the two tables do not touch each other", () => {
  const maps = createMaps();
  const hooks = open(maps);
  // 40 is sendfile in the 64-bit table and rmdir in the other.
  const [rmdir, sendfile] = [hook(256, "rmdir", ""), hook(257, "sendfile", "")];
  must(hooks.put(rmdir, 0));
  must(hooks.put(sendfile, 0));
  must(hooks.remove(257));
  expect([...open(maps, [rmdir, sendfile]).ids()]).toEqual([256]);
});

test("32 lists are told apart, and one more is an error of one line", () => {
  const hooks = open(createMaps());
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
