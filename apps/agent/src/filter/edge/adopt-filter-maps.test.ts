// SPDX-License-Identifier: Apache-2.0
// What another agent, another version or another program has left where the maps are pinned. The kernel's own maps, made and
// read by bpftool.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBpf } from "@rthooks/bpf";
import { type Filter, matchAll } from "@rthooks/policy";
import { createPolicyFilter, type PolicyFilter } from "../core/policy-filter.ts";
import { openBpfFilterMaps } from "./bpf-filter-maps.ts";
import { createDirectOuterMap } from "./outer-map.fixture.ts";

const opened = openBpf();
if (!opened.ok) throw new Error(opened.error);
const bpf = opened.value;
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const bpfFs = mkdtempSync(join(tmpdir(), "rth-adopt-"));

function run(...argv: readonly string[]): string {
  const done = Bun.spawnSync([...argv]);
  if (done.exitCode !== 0) throw new Error(`${argv.join(" ")}: ${done.stderr}`);
  return done.stdout.toString();
}
beforeAll(() => void run("mount", "-t", "bpf", "bpf", bpfFs));
afterAll(() => {
  run("umount", bpfFs);
  rmSync(bpfFs, { recursive: true });
});

let count = 0;
function newDirectory(): string {
  const directory = join(bpfFs, `t${++count}`);
  mkdirSync(directory);
  return directory;
}

const bytes = (value: bigint | number, size: number): readonly string[] =>
  Array.from({ length: size }, (_, at) => String((BigInt(value) >> BigInt(8 * at)) & 0xffn));
const bpftool = (...words: readonly string[]): string => run("/usr/sbin/bpftool", ...words);

interface Layout {
  readonly outerEntries?: number;
  readonly keyBytes?: number;
  readonly valueBytes?: number;
  readonly innerEntries?: number;
  readonly flags?: number;
}

/** policy_filter_maps with these cgroups, and no keys. */
function make(
  directory: string,
  policies: Readonly<Record<number, readonly bigint[]>>,
  layout: Layout = {},
): void {
  const { outerEntries = 128, keyBytes = 8, valueBytes = 1, innerEntries = 32_768, flags = 0 } = layout;
  const path = join(directory, "policy_filter_maps");
  const createInner = (pin: string): void =>
    void bpftool(
      ...["map", "create", pin, "type", "hash", "key", `${keyBytes}`, "value", `${valueBytes}`],
      ...["entries", `${innerEntries}`, "name", "other", "flags", `${flags}`],
    );
  const example = join(directory, "example");
  createInner(example);
  bpftool(
    ...["map", "create", path, "type", "hash_of_maps", "key", "4", "value", "4"],
    ...["entries", `${outerEntries}`, "name", "other", "inner_map", "pinned", example],
  );
  rmSync(example);
  for (const [id, cgroupIds] of Object.entries(policies)) {
    createInner(example);
    for (const cgroupId of cgroupIds) {
      const value = bytes(0, valueBytes);
      bpftool("map", "update", "pinned", example, "key", ...bytes(cgroupId, keyBytes), "value", ...value);
    }
    bpftool("map", "update", "pinned", path, "key", ...bytes(Number(id), 4), "value", "pinned", example);
    rmSync(example);
  }
}

const dump = (
  ...words: readonly string[]
): readonly { readonly key: readonly string[]; readonly value: readonly string[] }[] =>
  JSON.parse(bpftool("--json", "map", "dump", ...words));
const toNumber = (read: readonly string[]): bigint =>
  read.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
const read = (directory: string): Readonly<Record<number, readonly bigint[]>> =>
  Object.fromEntries(
    dump("pinned", join(directory, "policy_filter_maps")).map(({ key, value }) => [
      Number(toNumber(key)),
      dump("id", String(toNumber(value)))
        .map((entry) => toNumber(entry.key))
        .toSorted((a, b) => Number(a - b)),
    ]),
  );
const show = (...words: readonly string[]): Readonly<Record<string, unknown>> =>
  JSON.parse(bpftool("--json", "map", "show", ...words));

function open(directory: string) {
  const notes: string[] = [];
  const problems: string[] = [];
  const maps = openBpfFilterMaps(bpf, directory, {
    reports: { note: (what) => notes.push(what), problem: (what) => problems.push(what) },
    openOuter: createDirectOuterMap,
    count: () => {},
  });
  if (!maps.ok) throw new Error(maps.error);
  const filter = createPolicyFilter(maps.value, silent);
  if (!filter.ok) throw new Error(filter.error);
  return { filter: filter.value, notes, problems };
}

const about = (app: string): Filter => ({
  namespace: undefined,
  podSelector: { matchLabels: new Map([["app", app]]), matchExpressions: [] },
  containerSelector: matchAll,
  hostSelector: false,
});
const add = (filter: PolicyFilter, name: string, cgroupId: bigint, app: string): boolean =>
  filter.add({
    ...{ containerId: name, containerName: name, image: "web:1", cgroupId, podName: name },
    ...{ podUid: `pod-${name}`, namespace: "shop", labels: new Map([["app", app]]), hasAllLabels: true },
  }).ok;

/** It works as one that was there from the beginning. */
async function expectUsable(directory: string, filter: PolicyFilter): Promise<void> {
  expect(filter.putFilter("grpc//new", about("new")).ok).toBeTrue();
  for (let at = 0; at < 10; at++) expect(add(filter, `new-${at}`, BigInt(1000 + at), "new")).toBeTrue();
  await filter.settled();
  const id = filter.putFilter("grpc//new", about("new"));
  const ids = Array.from({ length: 10 }, (_, at) => BigInt(1000 + at));
  const contents = read(directory);
  expect(contents[id.ok ? id.value : 0]).toEqual(ids);
  expect(contents[1]).toEqual(expect.arrayContaining(ids));
  const right = { bytes_key: 8, bytes_value: 1, max_entries: 32_768, flags: 0 };
  for (const { value } of dump("pinned", join(directory, "policy_filter_maps")))
    expect(show("id", String(toNumber(value)))).toMatchObject(right);
}

describe("maps of another layout are copied into right ones", () => {
  test.each<{ what: string; layout: Layout }>([
    { what: "the values of the inner maps", layout: { valueBytes: 4 } },
    { what: "the flags of the inner maps", layout: { flags: 1 } },
    { what: "the size of the inner maps", layout: { innerEntries: 4 } },
    { what: "a smaller outer map", layout: { outerEntries: 64 } },
    {
      what: "a larger outer map, and inner maps of other values",
      layout: { outerEntries: 500, valueBytes: 8 },
    },
    { what: "an outer map that is full", layout: { outerEntries: 2, valueBytes: 4 } },
  ])("$what", async ({ layout }) => {
    const directory = newDirectory();
    make(directory, { 1: [10n, 11n, 12n], 7: [10n] }, layout);
    const { filter, notes, problems } = open(directory);
    expect(read(directory)).toEqual({ 1: [10n, 11n, 12n], 7: [10n] });
    expect(notes.join()).toContain("layout");
    expect(problems).toEqual([]);
    await expectUsable(directory, filter);
    expect(readdirSync(directory).toSorted()).toEqual(["policy_filter_keys", "policy_filter_maps"]);
  });

  test("one inner map of many", async () => {
    const directory = newDirectory();
    make(directory, { 1: [10n] });
    const path = join(directory, "policy_filter_maps");
    const small = join(directory, "small");
    bpftool("map", "create", small, ...`type hash key 8 value 1 entries 2 name small`.split(" "));
    bpftool("map", "update", "pinned", small, "key", ...bytes(10n, 8), "value", "0");
    bpftool("map", "update", "pinned", path, "key", ...bytes(1, 4), "value", "pinned", small);
    rmSync(small);
    const before = show("pinned", path)["id"];
    const { filter, notes } = open(directory);
    expect(notes).toEqual([expect.stringContaining("the map of filter 1 in")]);
    // The outer one is right, and stays.
    expect(show("pinned", path)["id"]).toBe(before);
    expect(read(directory)).toEqual({ 1: [10n] });
    await expectUsable(directory, filter);
  });

  test("more cgroups than a right map takes are all kept", () => {
    const directory = newDirectory();
    make(directory, { 1: [] }, { innerEntries: 40_000 });
    const path = join(directory, "policy_filter_maps");
    const [entry] = dump("pinned", path);
    const inner = bpf.openById(Number(toNumber(entry?.value ?? [])));
    if (!inner.ok || inner.value === undefined) throw new Error("no map");
    const ids = BigUint64Array.from({ length: 33_000 }, (_, at) => BigInt(at + 1));
    inner.value.updateMany(new Uint8Array(ids.buffer), new Uint8Array(1));
    const { filter } = open(directory);
    expect(read(directory)[1]).toHaveLength(33_000);
    expect(add(filter, "late", 99_999n, "web")).toBeFalse();
    filter.removeInherited([5n]);
    expect(add(filter, "late", 99_999n, "web")).toBeTrue();
  }, 60_000);

  test("the map of keys", async () => {
    const directory = newDirectory();
    const first = open(directory);
    first.filter.putFilter("grpc//web", about("web"));
    add(first.filter, "a", 10n, "web");
    await first.filter.settled();
    const path = join(directory, "policy_filter_keys");
    const text = dump("pinned", path)[0]?.value ?? [];
    rmSync(path);
    bpftool("map", "create", path, ...`type hash key 4 value 600 entries 20 name keys`.split(" "));
    const value = Array.from({ length: 600 }, (_, at) => text[at] ?? "0");
    bpftool("map", "update", "pinned", path, "key", ...bytes(2, 4), "value", ...value);
    const { filter, problems } = open(directory);
    expect(filter.putFilter("grpc//web", about("web"))).toEqual({ ok: true, value: 2 });
    expect(read(directory)).toEqual({ 1: [10n], 2: [10n] });
    expect([...problems, ...filter.problems()]).toEqual([]);
  });
});

describe("ids of which no key says whose they are", () => {
  const unnamed = /^policy_filter_maps has filters that policy_filter_keys does not name \(ids 2, 3\): /;

  test("are never a new policy's, stay until their containers are gone, and are told", async () => {
    const directory = newDirectory();
    make(directory, { 1: [10n, 11n], 2: [10n], 3: [11n] });
    const { filter } = open(directory);
    expect(filter.problems()).toEqual([expect.stringMatching(unnamed)]);
    for (const name of ["a", "b"]) filter.putFilter(`grpc//${name}`, about(name));
    filter.removeUnusedFilters();
    add(filter, "known", 10n, "other");
    await filter.settled();
    expect(read(directory)).toEqual({ 1: [10n, 11n], 2: [10n], 3: [11n], 4: [], 5: [] });
    filter.removeInherited([11n]);
    await filter.settled();
    expect(read(directory)).toEqual({ 1: [10n], 2: [10n], 4: [], 5: [] });
    filter.removeInherited([10n]);
    await filter.settled();
    expect(Object.keys(read(directory))).toEqual(["1", "4", "5"]);
    expect(filter.problems()).toEqual([]);
  });

  test("take no room from this agent's policies, also where the map is full of them", async () => {
    const directory = newDirectory();
    const others = Array.from({ length: 128 }, (_, at) => [at + 2, [BigInt(10 + at)]] as const);
    make(directory, Object.fromEntries(others));
    const { filter } = open(directory);
    const before = read(directory);
    expect(Object.keys(before)).toHaveLength(129);
    for (let at = 0; at < 127; at++) expect(filter.putFilter(`grpc//p${at}`, about("web")).ok).toBeTrue();
    expect(filter.putFilter("grpc//more", about("web")).ok).toBeFalse();
    await filter.settled();
    expect(read(directory)).toMatchObject(before);
    expect(Object.keys(read(directory))).toHaveLength(256);
  }, 60_000);

  test("come with keys that are lost, or of no use", async () => {
    const directory = newDirectory();
    const first = open(directory);
    first.filter.putFilter("grpc//web", about("web"));
    add(first.filter, "a", 10n, "web");
    await first.filter.settled();
    const path = join(directory, "policy_filter_keys");
    rmSync(path);
    bpftool("map", "create", path, ...`type hash key 4 value 4 entries 20 name keys`.split(" "));
    bpftool("map", "update", "pinned", path, "key", ...bytes(2, 4), "value", "119", "101", "98", "0");
    const { filter } = open(directory);
    expect(filter.putFilter("grpc//other", about("other"))).toEqual({ ok: true, value: 3 });
    filter.removeUnusedFilters();
    await filter.settled();
    expect(read(directory)).toEqual({ 1: [10n], 2: [10n], 3: [] });
  });
});

describe("what is in the way", () => {
  test("is set aside and told: a directory, a map of another kind", async () => {
    const directory = newDirectory();
    const [maps, keys] = [join(directory, "policy_filter_maps"), join(directory, "policy_filter_keys")];
    bpftool("map", "create", maps, ...`type array key 4 value 8 entries 3 name precious`.split(" "));
    const id = show("pinned", maps)["id"];
    mkdirSync(keys);
    const { filter, problems } = open(directory);
    expect(problems).toEqual([
      `${keys} was a directory: renamed to ${keys}_old, remove it if it is not needed`,
      `${maps} was a map of another kind: renamed to ${maps}_old, remove it if it is not needed`,
    ]);
    expect(show("pinned", `${maps}_old`)["id"]).toBe(id);
    await expectUsable(directory, filter);
  });

  test.each([
    { what: "a directory", blocked: ["policy_filter_maps", "policy_filter_maps_old/x"] },
    { what: "the draft of a map that is to be replaced", blocked: ["policy_filter_maps_new/x"] },
  ])("and cannot be moved is an error that names it, and nothing is left open: $what", ({ blocked }) => {
    const directory = newDirectory();
    if (blocked.length === 1) make(directory, { 1: [10n], 2: [10n] }, { valueBytes: 4 });
    for (const name of blocked) mkdirSync(join(directory, name), { recursive: true });
    const countMaps = () =>
      readdirSync("/proc/self/fd").filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === "anon_inode:bpf-map";
        } catch {
          return false;
        }
      }).length;
    const before = countMaps();
    const maps = openBpfFilterMaps(bpf, directory, {
      ...{ reports: { note: () => {}, problem: () => {} }, openOuter: createDirectOuterMap },
      count: () => {},
    });
    expect(maps.ok ? "" : maps.error).toContain(join(directory, "policy_filter_maps"));
    expect(countMaps()).toBe(before);
  });

  test("of a draft that an agent has left is removed", () => {
    const directory = newDirectory();
    const draft = join(directory, "policy_filter_maps_new");
    bpftool("map", "create", draft, ...`type array key 4 value 8 entries 3 name draft`.split(" "));
    open(directory);
    expect(readdirSync(directory).toSorted()).toEqual(["policy_filter_keys", "policy_filter_maps"]);
  });
});

test("keys of policies that have no map are forgotten", async () => {
  const directory = newDirectory();
  const first = open(directory);
  first.filter.putFilter("grpc//web", about("web"));
  await first.filter.settled();
  bpftool("map", "delete", "pinned", join(directory, "policy_filter_maps"), "key", ...bytes(2, 4));
  open(directory);
  expect(dump("pinned", join(directory, "policy_filter_keys"))).toEqual([]);
});
