// SPDX-License-Identifier: Apache-2.0
// An agent that is killed at any moment, between any two calls into the kernel, and comes back: no container that runs is
// ever outside of a policy that it was in and belongs to, and in the end the maps are right. As long as an agent lives,
// they are what a look at everything would put there, after each step.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bpf, type BpfMap, openBpf } from "@rthooks/bpf";
import { type FilterDefinition, HOST_MARKER, matchAll } from "@rthooks/policy";
import { createMapPolicyFilter, type MapPolicyFilter } from "../core/map-policy-filter.ts";
import type { FilteredContainer } from "../core/policy-filter.ts";
import { openBpfFilterMaps } from "./bpf-filter-maps.ts";

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

class Killed extends Error {}

/** Calls into the kernel until the agent is killed; those of reading do not count. */
interface Fuse {
  left: number;
}

function burn(fuse: Fuse): void {
  if (fuse.left <= 0) throw new Killed();
  fuse.left--;
}

/** The kernel's BPF, for as long as the fuse lasts. */
function createMortal(fuse: Fuse): Bpf {
  const wrap = (map: BpfMap): BpfMap => ({
    ...map,
    update: (...words) => {
      burn(fuse);
      return map.update(...words);
    },
    delete: (key) => {
      burn(fuse);
      return map.delete(key);
    },
    updateMany: (...words) => {
      burn(fuse);
      return map.updateMany(...words);
    },
  });
  const wrapped = <T extends BpfMap | undefined, E>(
    made: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E },
  ) => (made.ok && made.value !== undefined ? { ok: true as const, value: wrap(made.value) } : made);
  return {
    createMap: (spec) => {
      burn(fuse);
      return wrapped(real.createMap(spec));
    },
    createMapOfMaps: (...words) => wrapped(real.createMapOfMaps(...words)),
    openPinned: (path) => wrapped(real.openPinned(path)),
    openById: (id) => wrapped(real.openById(id)),
  };
}

function openFilter(bpf: Bpf, directory: string): MapPolicyFilter {
  const maps = openBpfFilterMaps(bpf, directory, silent);
  if (!maps.ok) throw new Error(maps.error);
  const filter = createMapPolicyFilter(maps.value, silent);
  if (!filter.ok) throw new Error(filter.error);
  return filter.value;
}

/** The cgroups of each policy, by its key. */
type Contents = ReadonlyMap<string, ReadonlySet<bigint>>;

function read(directory: string): Contents {
  const maps = openBpfFilterMaps(real, directory, silent);
  if (!maps.ok) throw new Error(maps.error);
  maps.value.close();
  return new Map([...maps.value.found.values()].map(({ key, cgroupIds }) => [key, cgroupIds]));
}

interface Model {
  readonly policies: ReadonlyMap<string, FilterDefinition>;
  readonly containers: ReadonlyMap<string, FilteredContainer>;
}

function compute({ policies, containers }: Model): Contents {
  const all = [...containers.values()];
  const cgroupsOf = ({ cgroupId, nestedIds }: FilteredContainer) => [cgroupId, ...nestedIds];
  const contents = new Map([["", new Set(all.flatMap(cgroupsOf))]]);
  for (const [key, { podSelector, hostSelector }] of policies) {
    const app = podSelector?.matchLabels.get("app");
    const members = all.filter(({ labels }) => labels.get("app") === app).flatMap(cgroupsOf);
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
function live(seed: number): void {
  const random = createRandom(seed);
  const pick = <T>(...choices: readonly [T, ...T[]]): T =>
    choices[Math.floor(random() * choices.length)] ?? choices[0];
  const directory = join(bpfFs, `seed-${seed}`);
  const fuse: Fuse = { left: 1_000_000 };
  const filter = openFilter(createMortal(fuse), directory);
  const policies = new Map<string, FilterDefinition>();
  const containers = new Map<string, FilteredContainer>();
  const copy = (): Model => ({ policies: new Map(policies), containers: new Map(containers) });

  let nextCgroup = 100n;
  const act = (): void => {
    const name = pick("a", "b", "c", "d");
    const key = pick("p", "q");
    const app = pick("web", "db");
    switch (pick("add", "add", "add", "remove", "labels", "nested", "policy", "no policy")) {
      case "nested": {
        const known = containers.get(name);
        if (known === undefined) break;
        // Some stay, some go, some are new.
        const nestedIds = [
          ...known.nestedIds.filter(() => random() < 0.5),
          ...(random() < 0.5 ? [nextCgroup++] : []),
        ];
        containers.set(name, { ...known, nestedIds });
        filter.setNested(name, nestedIds);
        break;
      }
      case "add": {
        const known = containers.get(name);
        const added = {
          ...toContainer(name, known?.cgroupId ?? nextCgroup++, app),
          nestedIds: known?.nestedIds ?? [],
        };
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
        filter.putPolicy(key, toDefinition(app, policies.get(key)?.hostSelector ?? false));
        break;
      case "no policy":
        policies.delete(key);
        filter.removePolicy(key);
    }
  };

  let before = copy();
  const killAt = 5 + Math.floor(random() * 20);
  try {
    for (let at = 0; ; at++) {
      if (at === killAt) fuse.left = Math.floor(random() * 4);
      before = copy();
      act();
      const now = sort(read(directory));
      expect({ seed, at, contents: now }).toEqual({ seed, at, contents: sort(compute(copy())) });
    }
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
  }

  // What was wanted both before and after the act that was cut off is in force now, and stays so.
  const held = intersect(compute(before), compute(copy()));
  expectHeld(directory, held, seed);
  const next = openFilter(real, directory);
  expectHeld(directory, held, seed);
  for (const step of shuffle(
    [
      ...[...policies].map(
        ([key, definition]) =>
          () =>
            void next.putPolicy(key, definition),
      ),
      ...[...containers.values()].map((container) => () => void next.add(container)),
    ],
    random,
  )) {
    step();
    expectHeld(directory, held, seed);
  }
  const alive = new Set(
    [...containers.values()].flatMap(({ cgroupId, nestedIds }) => [cgroupId, ...nestedIds]),
  );
  next.settlePolicies();
  next.forgetCgroups([...next.inheritedCgroupIds()].filter((id) => !alive.has(id)));
  expect({ seed, contents: sort(read(directory)) }).toEqual({ seed, contents: sort(compute(copy())) });
  rmSync(directory, { recursive: true });
}

const sort = (contents: Contents) =>
  [...contents].map(([key, members]) => [key, [...members].toSorted()] as const).toSorted();

const toDefinition = (app: string, hostSelector: boolean): FilterDefinition => ({
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
  nestedIds: [],
  podUid: `pod-${name}`,
  podName: name,
  namespace: "shop",
  labels: new Map([["app", app]]),
  isPodKnown: true,
});

function shuffle<T>(list: readonly T[], random: () => number): readonly T[] {
  return list
    .map((value) => ({ value, place: random() }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ value }) => value);
}

test("200 agents, each killed at another moment", () => {
  const first = Math.floor(Math.random() * 2 ** 31);
  for (let seed = first; seed < first + 200; seed++) live(seed);
}, 300_000);
