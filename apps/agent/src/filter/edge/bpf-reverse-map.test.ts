// SPDX-License-Identifier: Apache-2.0
// On the kernel's own maps, written by the thread and read by the map's other side.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBpf } from "@rthooks/bpf";
import { createAgentMetrics } from "../../base/core/agent-metrics.ts";
import { toCgroupKey, toIdKey } from "../core/filter-map-layout.ts";
import { openReverseMap, removeReverseMap } from "./bpf-reverse-map.ts";
import { startReverseMapThread } from "./reverse-map-thread.ts";

const opened = openBpf();
if (!opened.ok) throw new Error(opened.error);
const bpf = opened.value;
const bpfFs = mkdtempSync(join(tmpdir(), "rth-reverse-"));
beforeAll(() => void Bun.spawnSync(["mount", "-t", "bpf", "bpf", bpfFs]));
afterAll(() => {
  Bun.spawnSync(["umount", bpfFs]);
  rmSync(bpfFs, { recursive: true });
});

let count = 0;
function newDirectory(): string {
  const directory = join(bpfFs, `t${++count}`);
  mkdirSync(directory);
  return directory;
}

interface Entry {
  readonly key: readonly string[];
  readonly value: readonly string[];
}
const dump = (...words: readonly string[]): readonly Entry[] => {
  const { exitCode, stdout } = Bun.spawnSync(["/usr/sbin/bpftool", "--json", "map", "dump", ...words]);
  return exitCode === 0 ? JSON.parse(stdout.toString()) : [];
};
const toNumber = (bytes: readonly string[]): number =>
  bytes.reduceRight((value, byte) => value * 256 + Number(byte), 0);
const read = (directory: string): Readonly<Record<number, readonly number[]>> =>
  Object.fromEntries(
    dump("pinned", join(directory, "policy_filter_cgroup_maps")).map(({ key, value }) => [
      toNumber(key),
      dump("id", String(toNumber(value)))
        .map((entry) => toNumber(entry.key))
        .toSorted((one, other) => one - other),
    ]),
  );

function begin(directory: string) {
  const lines: string[] = [];
  const note = (text: string): void => void lines.push(text);
  const filterIdsOf = new Map<bigint, readonly number[]>();
  const started = startReverseMapThread(
    directory,
    {
      filterIdsOf: (cgroupId) => filterIdsOf.get(cgroupId) ?? [],
      count: () => filterIdsOf.size,
      cgroupIds: () => filterIdsOf.keys(),
    },
    createAgentMetrics("test"),
    { debug: note, info: note, warn: note, error: note },
  );
  const put = (cgroupId: bigint, filterIds: readonly number[]): void => {
    if (filterIds.length === 0) filterIdsOf.delete(cgroupId);
    else filterIdsOf.set(cgroupId, filterIds);
    started.put(cgroupId);
  };
  return { thread: { ...started, put }, lines };
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 1000) throw new Error("it never came true");
    await Bun.sleep(10);
  }
}
const isNow = (directory: string, wanted: object): boolean => Bun.deepEquals(read(directory), wanted);

test("cgroups have their policies, as long as they have any", async () => {
  const directory = newDirectory();
  const { thread, lines } = begin(directory);
  thread.put(10n, [1, 2]);
  thread.put(11n, [1]);
  thread.put(12n, [1]);
  await until(() => isNow(directory, { 10: [1, 2], 11: [1], 12: [1] }));
  thread.put(10n, [1, 3]);
  thread.put(11n, []);
  thread.put(12n, [1, 2, 3]);
  await until(() => isNow(directory, { 10: [1, 3], 12: [1, 2, 3] }));
  expect([thread.problem(), lines]).toEqual(["", []]);
  thread.close();
});

test("what an earlier agent has left is set right, and goes with the map when that is not wanted", async () => {
  const directory = newDirectory();
  const first = begin(directory);
  for (const id of [10n, 11n]) first.thread.put(id, [1, 2]);
  await until(() => isNow(directory, { 10: [1, 2], 11: [1, 2] }));
  first.thread.close();
  const second = begin(directory);
  second.thread.put(11n, [1]);
  await until(() => isNow(directory, { 11: [1] }));
  second.thread.close();
  removeReverseMap(directory);
  expect(existsSync(join(directory, "policy_filter_cgroup_maps"))).toBe(false);
  removeReverseMap(directory);
});

test("cgroups too many are a problem that is told, until others leave", async () => {
  const directory = newDirectory();
  const { thread, lines } = begin(directory);
  for (let id = 1n; id <= 1030n; id++) thread.put(id, [1]);
  await until(() => thread.problem() !== "");
  expect(thread.problem()).toContain("the map is full");
  expect(lines).toHaveLength(1);
  for (let id = 1n; id <= 6n; id++) thread.put(id, []);
  await until(() => thread.problem() === "");
  const map = openReverseMap(bpf, directory, { note: () => {}, problem: () => {} });
  if (!map.ok) throw new Error(map.error);
  const ids = map.value.list();
  expect(ids.ok && new Set(ids.value)).toEqual(
    new Set(Array.from({ length: 1024 }, (_, at) => BigInt(at + 7))),
  );
  map.value.close();
  thread.close();
}, 120_000);

test("cgroups that come and go in swarms leave nothing behind, too many or not", async () => {
  const directory = newDirectory();
  const { thread } = begin(directory);
  for (let wave = 0; wave < 6; wave++) {
    const ids = Array.from({ length: 2000 }, (_, at) => BigInt(wave * 10_000 + at + 1));
    for (const id of ids) {
      thread.put(id, [1]);
      thread.put(id, [1, 2]);
      if (id % 50n === 0n) await Bun.sleep(0);
    }
    if (wave % 2 === 0) await Bun.sleep(100);
    for (const id of ids) {
      thread.put(id, [1]);
      thread.put(id, []);
      if (id % 50n === 0n) await Bun.sleep(0);
    }
  }
  await until(() => thread.problem() === "" && isNow(directory, {}));
  thread.close();
}, 60_000);

test("a place that is no bpf file system is told, and all is written when the map can be had", async () => {
  const directory = join(bpfFs, "late");
  const { thread, lines } = begin(directory);
  await until(() => thread.problem() !== "");
  expect(thread.problem()).toContain("OBJ_PIN");
  for (let id = 1n; id <= 300n; id++) thread.put(id, [1]);
  for (let id = 1n; id <= 297n; id++) thread.put(id, []);
  thread.retry();
  mkdirSync(directory);
  await until(() => {
    thread.retry();
    return thread.problem() === "";
  });
  await until(() => isNow(directory, { 298: [1], 299: [1], 300: [1] }));
  expect(lines).toHaveLength(1);
  thread.close();
});

test("a map of another layout is replaced, and something else is set aside", async () => {
  const directory = newDirectory();
  const path = join(directory, "policy_filter_cgroup_maps");
  const other = bpf.createMap({ type: "hash", name: "x", keySize: 4, valueSize: 4, maxEntries: 1 });
  if (!other.ok) throw new Error("no map");
  other.value.update(toIdKey(1), toIdKey(1));
  other.value.pin(path);
  const { thread, lines } = begin(directory);
  thread.put(5n, [1]);
  await until(() => isNow(directory, { 5: [1] }));
  expect(lines).toEqual([expect.stringContaining("has an unexpected layout and is replaced")]);
  thread.close();
  rmSync(path);
  mkdirSync(path);
  const next = begin(directory);
  next.thread.put(6n, [1]);
  await until(() => isNow(directory, { 6: [1] }));
  expect(next.thread.problem()).toContain("policy_filter_cgroup_maps was a directory");
  next.thread.close();
  expect(existsSync(`${path}_old`)).toBe(true);
});

test("a map inside that is of another layout is replaced", async () => {
  const directory = newDirectory();
  const first = begin(directory);
  first.thread.put(5n, [1]);
  await until(() => isNow(directory, { 5: [1] }));
  first.thread.close();
  const path = join(directory, "policy_filter_cgroup_maps");
  const [outer, small] = [
    bpf.openPinned(path),
    bpf.createMap({ type: "hash", name: "small", keySize: 4, valueSize: 1, maxEntries: 2 }),
  ];
  if (!outer.ok || outer.value === undefined || !small.ok) throw new Error("no map");
  outer.value.update(toCgroupKey(5n), toIdKey(small.value.fd));
  for (const map of [outer.value, small.value]) map.close();
  const { thread } = begin(directory);
  thread.put(5n, [1, 2, 3, 4]);
  await until(() => isNow(directory, { 5: [1, 2, 3, 4] }));
  expect(thread.problem()).toBe("");
  thread.close();
});

test("a pin that is gone is made again", async () => {
  const directory = newDirectory();
  const { thread } = begin(directory);
  thread.put(5n, [1]);
  await until(() => isNow(directory, { 5: [1] }));
  rmSync(join(directory, "policy_filter_cgroup_maps"));
  thread.retry();
  await until(() => isNow(directory, { 5: [1] }));
  thread.close();
});
