// SPDX-License-Identifier: Apache-2.0
// The policy filter on the kernel's own maps, through the ends and beginnings of agents.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBpf } from "@rthooks/bpf";
import { type Filter, type FilteredContainer, HOST_MARKER, matchAll } from "@rthooks/policy";
import type { FilterMaps } from "../core/filter-maps.ts";
import { createPolicyFilter, type PolicyFilter } from "../core/policy-filter.ts";
import { openBpfFilterMaps } from "./bpf-filter-maps.ts";
import { createDirectOuterMap } from "./outer-map.fixture.ts";

const opened = openBpf();
if (!opened.ok) throw new Error(opened.error);
const bpf = opened.value;
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const bpfFs = mkdtempSync(join(tmpdir(), "rth-filter-"));

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
const newDirectory = (): string => join(bpfFs, `tetragon-${++count}`);

function openMaps(directory: string, told: string[] = []): FilterMaps {
  mkdirSync(directory, { recursive: true });
  const note = (what: string): void => void told.push(what);
  const maps = openBpfFilterMaps(bpf, directory, {
    reports: { note, problem: note },
    openOuter: createDirectOuterMap,
    count: () => {},
  });
  if (!maps.ok) throw new Error(maps.error);
  return maps.value;
}
function openFilter(maps: FilterMaps): PolicyFilter {
  const filter = createPolicyFilter(maps, silent);
  if (!filter.ok) throw new Error(filter.error);
  return filter.value;
}

type Contents = Readonly<Record<number, readonly bigint[]>>;

/** As whoever opens the pinned maps anew finds them. */
function read(directory: string): Contents {
  const maps = openMaps(directory);
  maps.close();
  return Object.fromEntries(
    [...maps.found].map(([id, { cgroupIds }]) => [id, [...cgroupIds].toSorted((a, b) => Number(a - b))]),
  );
}

/** The same by bpftool. */
function readByTool(directory: string): Contents {
  const dump = (
    ...words: readonly string[]
  ): readonly { readonly key: readonly string[]; readonly value: readonly string[] }[] =>
    JSON.parse(run("bpftool", "--json", "map", "dump", ...words));
  const toNumber = (bytes: readonly string[]): bigint =>
    bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
  return Object.fromEntries(
    dump("pinned", join(directory, "policy_filter_maps")).map(({ key, value }) => [
      Number(toNumber(key)),
      dump("id", String(toNumber(value)))
        .map((entry) => toNumber(entry.key))
        .toSorted((a, b) => Number(a - b)),
    ]),
  );
}

const about = (app: string, more: Partial<Filter> = {}): Filter => ({
  namespace: undefined,
  podSelector: { matchLabels: new Map([["app", app]]), matchExpressions: [] },
  containerSelector: matchAll,
  hostSelector: false,
  ...more,
});
const container = (name: string, cgroupId: bigint, app: string): FilteredContainer => ({
  containerId: name,
  containerName: name,
  image: "registry:5000/web:1",
  cgroupId,
  podUid: `pod-${name}`,
  podName: name,
  namespace: "shop",
  labels: new Map([["app", app]]),
  hasAllLabels: false,
});

test("containers and policies are in the maps, as bpftool reads them", async () => {
  const directory = newDirectory();
  const filter = openFilter(openMaps(directory));
  filter.add(container("a", 10n, "web"));
  expect(filter.putFilter("web", about("web", { hostSelector: true }))).toEqual({ ok: true, value: 2 });
  expect(filter.putFilter("db", about("db"))).toEqual({ ok: true, value: 3 });
  filter.add(container("b", 11n, "db"));
  const contents = { 1: [10n, 11n], 2: [10n, HOST_MARKER], 3: [11n] };
  await filter.settled();
  expect(readByTool(directory)).toEqual(contents);
  expect(read(directory)).toEqual(contents);
  filter.updatePod({
    podUid: "pod-b",
    podName: "b",
    namespace: "shop",
    labels: new Map([["app", "web"]]),
    hasAllLabels: false,
    containerIds: ["b"],
  });
  filter.remove("a");
  filter.removeFilter("db");
  await filter.settled();
  expect(readByTool(directory)).toEqual({ 1: [11n], 2: [11n, HOST_MARKER] });
});

describe("an agent that comes back", () => {
  const begin = async () => {
    const directory = newDirectory();
    const maps = openMaps(directory);
    const filter = openFilter(maps);
    filter.putFilter("web", about("web"));
    filter.putFilter("db", about("db"));
    filter.add(container("a", 10n, "web"));
    filter.add(container("b", 11n, "web"));
    await filter.settled();
    maps.close();
    return directory;
  };

  test("finds all in force, and leaves it so until it knows better", async () => {
    const directory = await begin();
    const filter = openFilter(openMaps(directory));
    const before = { 1: [10n, 11n], 2: [10n, 11n], 3: [] };
    await filter.settled();
    expect(read(directory)).toEqual(before);
    // In another order than before: the ids are the policies' own.
    expect([filter.putFilter("db", about("db")), filter.putFilter("web", about("web"))]).toEqual([
      { ok: true, value: 3 },
      { ok: true, value: 2 },
    ]);
    filter.removeUnusedFilters();
    filter.add(container("a", 10n, "web"));
    await filter.settled();
    expect(read(directory)).toEqual(before);
  });

  test("takes out what has changed meanwhile once it knows the pod and the policy", async () => {
    const directory = await begin();
    const filter = openFilter(openMaps(directory));
    filter.putFilter("web", about("web"));
    // Without its labels, which nobody has told yet.
    filter.add({ ...container("a", 10n, "db"), labels: new Map() });
    await filter.settled();
    expect(read(directory)[2]).toEqual([10n, 11n]);
    filter.add({ ...container("a", 10n, "db"), hasAllLabels: true });
    await filter.settled();
    expect(read(directory)).toEqual({ 1: [10n, 11n], 2: [11n], 3: [] });
    expect(filter.inheritedCgroupIds()).toEqual(new Set([11n]));
    filter.removeInherited([11n]);
    filter.removeUnusedFilters();
    await filter.settled();
    expect(read(directory)).toEqual({ 1: [10n], 2: [] });
  });

  test("leaves a container in a policy that nobody has put yet", async () => {
    const directory = await begin();
    const filter = openFilter(openMaps(directory));
    filter.add({ ...container("a", 10n, "web"), hasAllLabels: true });
    filter.add({ ...container("b", 11n, "db"), hasAllLabels: true });
    await filter.settled();
    expect(read(directory)).toEqual({ 1: [10n, 11n], 2: [10n, 11n], 3: [] });
    filter.putFilter("web", about("web"));
    await filter.settled();
    expect(read(directory)).toEqual({ 1: [10n, 11n], 2: [10n], 3: [] });
    filter.putFilter("db", about("db"));
    await filter.settled();
    expect(read(directory)).toEqual({ 1: [10n, 11n], 2: [10n], 3: [11n] });
  });

  test("gives a new policy no id that is taken", async () => {
    const directory = await begin();
    const filter = openFilter(openMaps(directory));
    expect(filter.putFilter("new", about("web"))).toEqual({ ok: true, value: 4 });
  });

  test("replaces a map of another layout", async () => {
    const directory = newDirectory();
    openMaps(directory).close();
    rmSync(join(directory, "policy_filter_maps"));
    const other = bpf.createMap({ type: "hash", name: "x", keySize: 4, valueSize: 4, maxEntries: 1 });
    if (!other.ok) throw new Error("no map");
    other.value.pin(join(directory, "policy_filter_maps"));
    openFilter(openMaps(directory));
    expect(read(directory)).toEqual({ 1: [] });
  });
});

test("nothing that containers need waits while the kernel takes its time with the policies", async () => {
  const directory = newDirectory();
  mkdirSync(directory);
  const gate = Promise.withResolvers<void>();
  const changes: (readonly number[])[] = [];
  const maps = openBpfFilterMaps(bpf, directory, {
    reports: { note: () => {}, problem: () => {} },
    openOuter: (...words) => {
      const direct = createDirectOuterMap(...words);
      return {
        ...direct,
        change: async (change) => {
          changes.push(change.put.map(([id]) => id));
          await gate.promise;
          return await direct.change(change);
        },
      };
    },
    count: () => {},
  });
  if (!maps.ok) throw new Error(maps.error);
  const filter = openFilter(maps.value);
  filter.add(container("a", 10n, "web"));
  for (const name of ["one", "two", "three"]) filter.putFilter(name, about("web"));
  while (changes.length === 0) await Bun.sleep(1);
  // Now the kernel waits. What is asked for meanwhile is done together afterwards.
  expect(filter.add(container("b", 11n, "web")).ok).toBe(true);
  filter.remove("a");
  for (const name of ["four", "five"]) filter.putFilter(name, about("web"));
  filter.removeFilter("two");
  filter.putFilter("one", about("web", { hostSelector: true }));
  expect(filter.status("one")).toEqual({ kind: "loading" });
  const early = filter.settled();
  gate.resolve();
  await early;
  expect(readByTool(directory)).toEqual({
    ...{ 1: [11n], 2: [11n, HOST_MARKER], 4: [11n], 5: [11n], 6: [11n] },
  });
  expect(changes).toEqual([
    [2, 3, 4],
    [5, 6],
  ]);
});

describe("what does not fit", () => {
  test("a policy too many has no filter, and the others keep theirs", async () => {
    const directory = newDirectory();
    const filter = openFilter(openMaps(directory));
    for (let at = 0; at < 127; at++) expect(filter.putFilter(`p${at}`, about("web")).ok).toBe(true);
    expect(filter.putFilter("one more", about("web"))).toEqual({
      ok: false,
      error: expect.stringContaining("the map is full"),
    });
    filter.removeFilter("p5");
    expect(filter.putFilter("one more", about("web")).ok).toBe(true);
    await filter.settled();
    expect(Object.keys(read(directory))).toHaveLength(128);
  }, 60_000);

  test("a container too many is refused, and is in no map", async () => {
    const directory = newDirectory();
    const filter = openFilter(openMaps(directory));
    for (let at = 0; at < 32_768; at++) {
      if (!filter.add(container(`c${at}`, BigInt(at + 1), "web")).ok) throw new Error("full too early");
    }
    const refused = filter.add(container("late", 99_999n, "web"));
    expect(refused).toMatchObject({ ok: false, error: { kind: "filter-full" } });
    filter.remove("c7");
    expect(filter.add(container("late", 99_999n, "web")).ok).toBe(true);
  }, 60_000);

  test("a policy's name that is too long is an error", async () => {
    const filter = openFilter(openMaps(newDirectory()));
    expect(filter.putFilter("x".repeat(512), about("web"))).toMatchObject({ ok: false });
    expect(filter.putFilter("x".repeat(511), about("web"))).toMatchObject({ ok: true });
  });
});
