// SPDX-License-Identifier: Apache-2.0
// On the kernel's own maps; what is written is read back by bpftool too.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { must } from "@rthooks/result/must";
import { openSyscalls } from "@rthooks/sys/syscall";
import { findMismatch, type MapSpec } from "../core/map-spec.ts";
import { probeBpf, renderBpfError } from "../index.ts";
import type { BpfMap } from "./bpf-map.ts";
import { openBpf } from "./open-bpf.ts";

const opened = openBpf();
if (!opened.ok) throw new Error(opened.error);
const bpf = opened.value;
const pins = mkdtempSync(join(tmpdir(), "rth-bpf-"));
const maps: BpfMap[] = [];

const run = (...argv: readonly string[]): string => {
  const done = Bun.spawnSync([...argv]);
  if (done.exitCode !== 0) throw new Error(`${argv.join(" ")}: ${done.stderr}`);
  return done.stdout.toString();
};
beforeAll(() => void run("mount", "-t", "bpf", "bpf", pins));
afterAll(() => {
  for (const map of maps) map.close();
  run("umount", pins);
  rmSync(pins, { recursive: true });
});

const inner: MapSpec = { type: "hash", name: "policy_2_map", keySize: 8, valueSize: 1, maxEntries: 100 };
const outer: MapSpec = {
  type: "hash-of-maps",
  name: "policy_filter_maps",
  keySize: 4,
  valueSize: 4,
  maxEntries: 3,
};

function keep(map: BpfMap): BpfMap {
  maps.push(map);
  return map;
}
const u64 = (...numbers: readonly number[]): Uint8Array =>
  new Uint8Array(new BigUint64Array(numbers.map(BigInt)).buffer);
const u32 = (number: number): Uint8Array => new Uint8Array(new Uint32Array([number]).buffer);
const zero = new Uint8Array(1);
const readKeys = (map: BpfMap): readonly number[] =>
  [...new BigUint64Array(must(map.keys()).slice().buffer)].map(Number).toSorted((one, other) => one - other);

describe("a hash map", () => {
  const create = () => keep(must(bpf.createMap(inner)));

  test("is what was asked for", () => {
    expect(create().info).toEqual({ ...inner, flags: 0, id: expect.any(Number) });
  });

  test("gives back what was put in, and nothing for what was not", () => {
    const map = create();
    expect(must(map.lookup(u64(1)))).toBeUndefined();
    must(map.update(u64(1), new Uint8Array([7])));
    expect(must(map.lookup(u64(1)))).toEqual(new Uint8Array([7]));
    expect([must(map.delete(u64(1))), must(map.delete(u64(1)))]).toEqual([true, false]);
    expect(must(map.lookup(u64(1)))).toBeUndefined();
  });

  test("tells whether a key was there", () => {
    const map = create();
    must(map.update(u64(1), zero, "noExist"));
    expect(map.update(u64(1), zero, "noExist")).toMatchObject({ ok: false, error: { code: "EEXIST" } });
    expect(map.update(u64(2), zero, "exist")).toMatchObject({ ok: false, error: { code: "ENOENT" } });
  });

  test("takes many at once, and gives all of its keys", () => {
    const map = create();
    const all = Array.from({ length: 100 }, (_, at) => at * 3);
    must(map.updateMany(u64(...all), zero));
    expect(readKeys(map)).toEqual(all);
    // Some of them are not there.
    must(map.deleteMany(u64(...all.slice(10), 1, 2)));
    expect(readKeys(map)).toEqual(all.slice(0, 10));
    must(map.updateMany(new Uint8Array(), zero));
    must(map.deleteMany(new Uint8Array()));
  });

  test("that is full says so", () => {
    const map = create();
    const all = Array.from({ length: 101 }, (_, at) => at);
    const full = map.updateMany(u64(...all), zero);
    expect(full.ok ? "" : renderBpfError(full.error)).toBe(
      "MAP_UPDATE_ELEM policy_2_map: argument list too long (the map is full)",
    );
    expect(readKeys(map)).toEqual(all.slice(0, 100));
  });

  test("tells how many of a batch it took", () => {
    const map = create();
    const all = Array.from({ length: 110 }, (_, at) => at);
    const { done, error } = map.updateBatch(u64(...all), new Uint8Array(110));
    expect([done, error?.code]).toEqual([100, "E2BIG"]);
    expect(map.updateBatch(u64(1, 2), new Uint8Array(2))).toEqual({ done: 2, error: undefined });
    expect(() => map.updateBatch(u64(1, 2), new Uint8Array(1))).toThrow(RangeError);
  });

  test("refuses keys of another length before the kernel could read beyond them", () => {
    const map = create();
    for (const key of [new Uint8Array(), u32(1), u64(1, 2)]) {
      expect(() => map.update(key, zero)).toThrow(RangeError);
      expect(() => map.lookup(key)).toThrow(RangeError);
      expect(() => map.delete(key)).toThrow(RangeError);
    }
    expect(() => map.update(u64(1), u32(1))).toThrow(RangeError);
  });
});

describe("a map of maps", () => {
  test("holds maps by their id, and gives them back", () => {
    const map = keep(must(bpf.createMapOfMaps(outer, inner)));
    const first = keep(must(bpf.createMap(inner)));
    must(first.update(u64(42), zero));
    must(map.update(u32(2), u32(first.fd)));
    expect(must(map.lookup(u32(2)))).toEqual(u32(first.info.id));
    const again = must(bpf.openById(first.info.id));
    expect(again?.info).toEqual(first.info);
    expect(again === undefined ? [] : readKeys(keep(again))).toEqual([42]);
  });

  test("has room for so many only", () => {
    const map = keep(must(bpf.createMapOfMaps(outer, inner)));
    const one = keep(must(bpf.createMap(inner)));
    for (const id of [1, 2, 3]) must(map.update(u32(id), u32(one.fd)));
    expect(map.update(u32(4), u32(one.fd))).toMatchObject({ ok: false, error: { code: "E2BIG" } });
  });

  test("outlives its descriptors where it is pinned, as bpftool sees it", () => {
    const path = join(pins, "policy_filter_maps");
    const map = must(bpf.createMapOfMaps(outer, inner));
    const one = must(bpf.createMap(inner));
    must(one.updateMany(u64(11, 12), zero));
    must(map.update(u32(2), u32(one.fd)));
    must(map.pin(path));
    expect(map.pin(path)).toMatchObject({ ok: false, error: { code: "EEXIST" } });
    const { id } = one.info;
    one.close();
    map.close();
    const dumped: readonly { readonly key: readonly string[] }[] = JSON.parse(
      run("/usr/sbin/bpftool", "--json", "map", "dump", "id", String(id)),
    );
    expect(dumped.map(({ key }) => Number(key[0])).toSorted()).toEqual([11, 12]);
    const found = must(bpf.openPinned(path));
    expect(found?.info).toMatchObject({
      type: "hash-of-maps",
      keySize: 4,
      maxEntries: 3,
      name: "policy_filter_m",
    });
    if (found !== undefined) keep(found);
    rmSync(path);
    expect(must(bpf.openPinned(path))).toBeUndefined();
  });
});

describe("whether a map of maps takes others", () => {
  test.each([
    { what: "the same layout", change: {}, takes: true },
    { what: "another size", change: { maxEntries: 7 }, takes: true },
    { what: "another value", change: { valueSize: 4 }, takes: false },
    { what: "another key", change: { keySize: 4 }, takes: false },
    { what: "other flags", change: { flags: 1 }, takes: false },
  ])("is found out without a change: $what", ({ change, takes }) => {
    const map = keep(must(bpf.createMapOfMaps(outer, inner)));
    const one = keep(must(bpf.createMap(inner)));
    // Full, and with the lowest ids.
    for (const id of [0, 1, 2]) must(map.update(u32(id), u32(one.fd)));
    expect(must(bpf.takesInner(map, { ...inner, ...change }))).toBe(takes);
    expect(must(map.keys())).toHaveLength(12);
    expect(must(map.lookup(u32(0)))).toEqual(u32(one.info.id));
  });
});

test("flags are asked for, and count as part of the layout", () => {
  const wanted = { ...inner, flags: 1 };
  const { info } = keep(must(bpf.createMap(wanted)));
  expect(info.flags).toBe(1);
  expect([findMismatch(info, wanted), findMismatch(info, inner)]).toEqual([undefined, "flags are 1, not 0"]);
});

test("a descriptor that another thread has made is a map", () => {
  const map = keep(must(bpf.createMap(inner)));
  const again = must(bpf.openDescriptor(map.fd));
  must(again.update(u64(3), zero));
  expect(readKeys(map)).toEqual([3]);
});

test("a program that is pinned is an error, and not taken for a map", () => {
  const sys = openSyscalls();
  const path = join(pins, "program");
  // BPF_MOV64_IMM(BPF_REG_0, 0), BPF_EXIT_INSN() of include/linux/filter.h.
  const instructions = new Uint8Array([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
  const license = new TextEncoder().encode("Apache-2.0\0");
  const attr = new Uint8Array(48);
  const view = new DataView(attr.buffer);
  const [BPF_PROG_LOAD, BPF_OBJ_PIN, BPF_PROG_TYPE_SOCKET_FILTER] = [5, 6, 1];
  view.setUint32(0, BPF_PROG_TYPE_SOCKET_FILTER, true);
  view.setUint32(4, instructions.length / 8, true);
  view.setBigUint64(8, BigInt(sys.pointerTo(instructions)), true);
  view.setBigUint64(16, BigInt(sys.pointerTo(license)), true);
  const fd = must(sys.call("bpf", "program", BPF_PROG_LOAD, attr, attr.length));
  const target = new TextEncoder().encode(`${path}\0`);
  const pin = new Uint8Array(16);
  new DataView(pin.buffer).setBigUint64(0, BigInt(sys.pointerTo(target)), true);
  new DataView(pin.buffer).setUint32(8, fd, true);
  must(sys.call("bpf", path, BPF_OBJ_PIN, pin, pin.length));
  sys.call("close", "", fd);
  expect(bpf.openPinned(path)).toMatchObject({ ok: false, error: { command: "OBJ_GET", code: "EINVAL" } });
  rmSync(path);
});

test("what is not there is nothing, and what is no map is an error", () => {
  expect(must(bpf.openPinned(join(pins, "none")))).toBeUndefined();
  expect(must(bpf.openById(4_000_000_000))).toBeUndefined();
  expect(bpf.openPinned("/etc/passwd")).toMatchObject({ ok: false, error: { command: "OBJ_GET" } });
});

test("a pin outside of a bpf file system is refused with what to do", () => {
  const map = keep(must(bpf.createMap(inner)));
  const refused = map.pin(join(tmpdir(), "no-pin"));
  expect(refused.ok ? "" : renderBpfError(refused.error)).toMatch(
    /^OBJ_PIN \/.*no-pin: .*mount -t bpf bpf DIR\)$/,
  );
});

test("many updates do not mix up their keys", () => {
  const map = keep(must(bpf.createMap(inner)));
  for (let at = 0; at < 200_000; at++) must(map.update(u64(at % 50), new Uint8Array([at % 50])));
  Bun.gc(true);
  for (let at = 0; at < 50; at++) expect(must(map.lookup(u64(at)))).toEqual(new Uint8Array([at]));
});

test("what the kernel can is found out by trying, and the reason where it cannot", () => {
  expect(probeBpf(bpf)).toEqual({
    bpf_hash_map: { ok: true, value: undefined },
    bpf_map_of_maps: { ok: true, value: undefined },
    bpf_map_batch: { ok: true, value: undefined },
  });
  // Without privileges: another user, with nothing but this library.
  const script = `
    const { openBpf, probeBpf } = await import("${join(import.meta.dir, "../index.ts")}");
    const opened = openBpf();
    console.log(JSON.stringify(opened.ok ? probeBpf(opened.value).bpf_map_of_maps : opened));`;
  const { stdout } = Bun.spawnSync(["setpriv", "--bounding-set=-all", "--", process.execPath, "-e", script]);
  expect(JSON.parse(stdout.toString())).toEqual({
    ok: false,
    error: expect.stringContaining("MAP_CREATE probe: "),
  });
});
