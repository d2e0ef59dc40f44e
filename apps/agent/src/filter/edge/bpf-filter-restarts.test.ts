// SPDX-License-Identifier: Apache-2.0
// An agent that is killed at any moment, between any two calls into the kernel, and comes back: no container that runs is
// ever outside of a policy that it was in and belongs to, and in the end the maps are right. As long as an agent lives,
// they are what a look at everything would put there, after each step.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bpf, type BpfMap, type MapSpec, openBpf } from "@rthooks/bpf";
import { type Filter, type FilteredContainer, HOST_MARKER, matchAll } from "@rthooks/policy";
import { must } from "@rthooks/result/must";
import {
  decodeKey,
  KEY_BYTES,
  toCgroupIds,
  toCgroupKey,
  toFilterIds,
  toIdKey,
  toMapId,
} from "../core/filter-map-layout.ts";
import { createPolicyFilter, type PolicyFilter } from "../core/policy-filter.ts";
import { openBpfFilterMaps } from "./bpf-filter-maps.ts";
import { createMortal, type Fuse, Killed } from "./mortal-bpf.fixture.ts";
import { createDirectOuterMap } from "./outer-map.fixture.ts";

const opened = openBpf();
if (!opened.ok) throw new Error(opened.error);
const real = opened.value;
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const bpfFs = mkdtempSync(join(tmpdir(), "rth-restart-"));
beforeAll(() => void Bun.spawnSync(["mount", "-t", "bpf", "bpf", bpfFs]));
afterAll(() => {
  Bun.spawnSync(["umount", bpfFs]);
  rmSync(bpfFs, { recursive: true });
});

const options = {
  reports: { note: () => {}, problem: () => {} },
  openOuter: createDirectOuterMap,
  count: () => {},
};

function openFilter(bpf: Bpf, directory: string): PolicyFilter {
  const maps = openBpfFilterMaps(bpf, directory, options);
  if (!maps.ok) throw new Error(maps.error);
  const filter = createPolicyFilter(maps.value, silent);
  if (!filter.ok) throw new Error(filter.error);
  return filter.value;
}

/** The cgroups of each policy, by its key. */
type Contents = ReadonlyMap<string, ReadonlySet<bigint>>;

/** As programs that look at the pins find them; nothing is put right. */
function read(directory: string): Contents {
  const open = (name: string): BpfMap => {
    const map = real.openPinned(join(directory, name));
    if (!map.ok || map.value === undefined) throw new Error(`${name} is not pinned`);
    return map.value;
  };
  const [outer, keys] = [open("policy_filter_maps"), open("policy_filter_keys")];
  const contents = new Map<string, ReadonlySet<bigint>>();
  for (const filterId of toFilterIds(must(outer.keys()))) {
    const inner = must(real.openById(toMapId(must(outer.lookup(toIdKey(filterId))) ?? new Uint8Array(4))));
    const key = must(keys.lookup(toIdKey(filterId)));
    contents.set(
      key === undefined ? "" : decodeKey(key),
      new Set(toCgroupIds(must(inner?.keys() ?? noKeys))),
    );
    inner?.close();
  }
  for (const map of [outer, keys]) map.close();
  return contents;
}

const noKeys = { ok: true, value: new Uint8Array(0) } as const; // const: it is of the successful kind
/** The same contents in maps of another layout, as an agent of another version, or another program, leaves them. */
function convert(directory: string, random: () => number): void {
  const pick = <T>(...choices: readonly [T, ...T[]]): T =>
    choices[Math.floor(random() * choices.length)] ?? choices[0];
  const pinned = (name: string): BpfMap => {
    const map = must(real.openPinned(join(directory, name)));
    if (map === undefined) throw new Error(`${name} is not pinned`);
    return map;
  };
  const replace = (name: string, map: BpfMap): void => {
    rmSync(join(directory, name));
    must(map.pin(join(directory, name)));
    map.close();
  };
  const inner: MapSpec = {
    ...{ type: "hash", name: "other", keySize: 8 },
    ...{ valueSize: pick(1, 4), maxEntries: pick(100, 32_768, 40_000), flags: pick(0, BPF_F_NO_PREALLOC) },
  };
  const outer = pinned("policy_filter_maps");
  const other = must(
    real.createMapOfMaps(
      { type: "hash-of-maps", name: "other", keySize: 4, valueSize: 4, maxEntries: pick(64, 128, 300) },
      inner,
    ),
  );
  for (const filterId of toFilterIds(must(outer.keys()))) {
    const from = must(real.openById(toMapId(must(outer.lookup(toIdKey(filterId))) ?? new Uint8Array(4))));
    const to = must(real.createMap(inner));
    must(to.updateMany(must(from?.keys() ?? noKeys), new Uint8Array(inner.valueSize)));
    must(other.update(toIdKey(filterId), toIdKey(to.fd)));
    for (const map of [from, to]) map?.close();
  }
  outer.close();
  replace("policy_filter_maps", other);
  const keys = pinned("policy_filter_keys");
  const valueSize = pick(256, KEY_BYTES, 700);
  const otherKeys = must(
    real.createMap({ type: "hash", name: "other", keySize: 4, valueSize, maxEntries: 300 }),
  );
  for (const filterId of toFilterIds(must(keys.keys()))) {
    const key = must(keys.lookup(toIdKey(filterId))) ?? new Uint8Array(0);
    const value = new Uint8Array(valueSize);
    value.set(key.subarray(0, valueSize));
    must(otherKeys.update(toIdKey(filterId), value));
  }
  keys.close();
  replace("policy_filter_keys", otherKeys);
}

const BPF_F_NO_PREALLOC = 1;

/** Entries of cgroups below those of containers, as earlier versions of the agent had them. */
function addNested(directory: string, random: () => number): void {
  const outer = must(real.openPinned(join(directory, "policy_filter_maps")));
  if (outer === undefined) throw new Error("policy_filter_maps is not pinned");
  for (const filterId of toFilterIds(must(outer.keys()))) {
    const inner = must(real.openById(toMapId(must(outer.lookup(toIdKey(filterId))) ?? new Uint8Array(4))));
    if (inner === undefined) throw new Error(`filter ${filterId} has no map`);
    for (const cgroupId of toCgroupIds(must(inner.keys()))) {
      if (cgroupId === HOST_MARKER || random() < 0.5) continue;
      must(inner.update(toCgroupKey(cgroupId + FIRST_NESTED), new Uint8Array(1)));
    }
    inner.close();
  }
  outer.close();
}

/** Of the cgroup below cgroup N the id is N more. */
const FIRST_NESTED = 1_000_000n;

interface Model {
  readonly policies: ReadonlyMap<string, Filter>;
  readonly containers: ReadonlyMap<string, FilteredContainer>;
}

function compute({ policies, containers }: Model): Contents {
  const all = [...containers.values()];
  const contents = new Map([["", new Set(all.map(({ cgroupId }) => cgroupId))]]);
  for (const [key, { podSelector, hostSelector }] of policies) {
    const app = podSelector?.matchLabels.get("app");
    const members = all.filter(({ labels }) => labels.get("app") === app).map(({ cgroupId }) => cgroupId);
    contents.set(key, new Set([...members, ...(hostSelector ? [HOST_MARKER] : [])]));
  }
  return contents;
}

/** Tommy Ettinger's mulberry32: seeds that are neighbours begin far apart. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const expectHeld = (directory: string, wanted: Contents, seed: number): void => {
  const contents = read(directory);
  for (const [key, cgroupIds] of wanted) {
    for (const cgroupId of cgroupIds) {
      if (contents.get(key)?.has(cgroupId) === true) continue;
      throw new Error(`seed ${seed}: cgroup ${cgroupId} is out of the policy ${JSON.stringify(key)}`);
    }
  }
};

const intersect = (one: Contents, other: Contents): Contents =>
  new Map(
    [...one].map(
      ([key, members]) =>
        [key, new Set([...members].filter((id) => other.get(key)?.has(id) === true))] as const,
    ),
  );

/** One life and the next. */
async function live(seed: number): Promise<void> {
  const random = createRandom(seed);
  const pick = <T>(...choices: readonly [T, ...T[]]): T =>
    choices[Math.floor(random() * choices.length)] ?? choices[0];
  const directory = join(bpfFs, `seed-${seed}`);
  mkdirSync(directory);
  const fuse: Fuse = { left: 1_000_000 };
  const filter = openFilter(createMortal(real, fuse), directory);
  const policies = new Map<string, Filter>();
  const containers = new Map<string, FilteredContainer>();
  const copy = (): Model => ({ policies: new Map(policies), containers: new Map(containers) });

  let nextCgroup = 100n;
  const act = (): void => {
    const name = pick("a", "b", "c", "d");
    const key = pick("grpc//p", "grpc//q");
    const app = pick("web", "db");
    switch (pick("add", "add", "add", "remove", "labels", "policy", "no policy")) {
      case "add": {
        const known = containers.get(name);
        const added = toContainer(name, known?.cgroupId ?? nextCgroup++, app);
        containers.set(name, added);
        filter.add(added);
        break;
      }
      case "remove":
        containers.delete(name);
        filter.remove(name);
        break;
      case "labels": {
        const known = containers.get(name);
        if (known === undefined) break;
        const changed = { ...known, labels: new Map([["app", app]]) };
        containers.set(name, changed);
        filter.updatePod({ ...changed, containerIds: [name] });
        break;
      }
      case "policy":
        policies.set(key, toDefinition(app, random() < 0.5));
        filter.putFilter(key, toDefinition(app, policies.get(key)?.hostSelector ?? false));
        break;
      case "no policy":
        policies.delete(key);
        filter.removeFilter(key);
    }
  };

  let before = copy();
  const killAt = 5 + Math.floor(random() * 20);
  try {
    for (let at = 0; ; at++) {
      if (at === killAt) fuse.left = Math.floor(random() * 4);
      before = copy();
      act();
      await filter.settled();
      const now = sort(read(directory));
      expect({ seed, at, contents: now }).toEqual({ seed, at, contents: sort(compute(copy())) });
    }
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
  }

  // What was wanted both before and after the act that was cut off is in force now, and stays so.
  const held = intersect(compute(before), compute(copy()));
  expectHeld(directory, held, seed);
  if (random() < 0.5) addNested(directory, random);
  if (random() < 0.5) convert(directory, random);
  expectHeld(directory, held, seed);
  // Agents that do not come far, and then one that does.
  for (let calls = 0; calls < 200; calls += 1 + Math.floor(random() * 4)) {
    try {
      openFilter(createMortal(real, { left: calls }), directory);
      break;
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      expectHeld(directory, held, seed);
    }
  }
  const next = openFilter(real, directory);
  expectHeld(directory, held, seed);
  for (const step of shuffle(
    [
      ...[...policies].map(
        ([key, definition]) =>
          () =>
            void next.putFilter(key, definition),
      ),
      ...[...containers.values()].map((container) => () => void next.add(container)),
    ],
    random,
  )) {
    step();
    expectHeld(directory, held, seed);
    if (random() < 0.5) await next.settled();
    expectHeld(directory, held, seed);
  }
  const alive = new Set([...containers.values()].map(({ cgroupId }) => cgroupId));
  next.removeUnusedFilters();
  const nested = [...next.inheritedCgroupIds()].filter((id) => id > FIRST_NESTED);
  next.removeCovered(new Map(nested.map((id) => [id, id - FIRST_NESTED])));
  expectHeld(directory, held, seed);
  next.removeInherited([...next.inheritedCgroupIds()].filter((id) => !alive.has(id)));
  await next.settled();
  expect({ seed, contents: sort(read(directory)) }).toEqual({ seed, contents: sort(compute(copy())) });
  expect({ seed, problems: next.problems() }).toEqual({ seed, problems: [] });
  rmSync(directory, { recursive: true });
}

const sort = (contents: Contents) =>
  [...contents].map(([key, members]) => [key, [...members].toSorted()] as const).toSorted();

const toDefinition = (app: string, hostSelector: boolean): Filter => ({
  namespace: undefined,
  podSelector: { matchLabels: new Map([["app", app]]), matchExpressions: [] },
  containerSelector: matchAll,
  hostSelector,
});

const toContainer = (name: string, cgroupId: bigint, app: string): FilteredContainer => ({
  containerId: name,
  containerName: name,
  image: "web",
  cgroupId,
  podUid: `pod-${name}`,
  podName: name,
  namespace: "shop",
  labels: new Map([["app", app]]),
  hasAllLabels: true,
});

function shuffle<T>(list: readonly T[], random: () => number): readonly T[] {
  return list
    .map((value) => ({ value, place: random() }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ value }) => value);
}

test("200 agents, each killed at another moment", async () => {
  const first = Math.floor(Math.random() * 2 ** 31);
  for (let seed = first; seed < first + 200; seed++) await live(seed);
}, 300_000);
