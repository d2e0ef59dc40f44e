// SPDX-License-Identifier: Apache-2.0
// On maps with little room: what does not fit.
import { describe, expect, test } from "bun:test";
import { type Filter, type FilteredContainer, matchAll } from "@rthooks/policy";
import { err, ok } from "@rthooks/result";
import { type FilterMaps, noFilterMaps } from "./filter-maps.ts";
import { createPolicyFilter, type PolicyFilter } from "./policy-filter.ts";

/** A map takes this many cgroups. */
interface Room {
  left: number;
}

function createSmallMaps(room: Room) {
  const contents = new Map<number, Set<bigint>>();
  const maps: FilterMaps = {
    ...noFilterMaps,
    found: new Map(),
    putFilter(filterId, _, cgroupIds) {
      const wanted = new Set(cgroupIds);
      if (wanted.size > room.left) return err("the map is full");
      contents.set(filterId, wanted);
      return ok(undefined);
    },
    removeFilter: (filterId) => void contents.delete(filterId),
    add(filterId, cgroupId) {
      const members = contents.get(filterId);
      if (members?.has(cgroupId) !== true && (members?.size ?? 0) >= room.left) return err("the map is full");
      members?.add(cgroupId);
      return ok(undefined);
    },
    remove(filterId, cgroupId) {
      contents.get(filterId)?.delete(cgroupId);
      return ok(undefined);
    },
  };
  return { maps, contents };
}

function begin(
  found: FilterMaps["found"] = new Map(),
  takeSlice: () => Promise<void> | undefined = () => undefined,
) {
  const room: Room = { left: 2 };
  const lines: string[] = [];
  const note = (text: string): void => void lines.push(text);
  const { maps, contents } = createSmallMaps(room);
  for (const [id, { cgroupIds }] of found) contents.set(id, new Set(cgroupIds));
  const filter = createPolicyFilter(
    { ...maps, found },
    { debug: note, info: note, warn: note, error: note },
    undefined,
    takeSlice,
  );
  if (!filter.ok) throw new Error(filter.error);
  return { room, lines, contents, filter: filter.value };
}

const about = (app: string): Filter => ({
  namespace: undefined,
  podSelector: { matchLabels: new Map([["app", app]]), matchExpressions: [] },
  containerSelector: matchAll,
  hostSelector: false,
});
const container = (
  name: string,
  cgroupId: bigint,
  more: Partial<FilteredContainer> = {},
): FilteredContainer => ({
  containerId: name,
  containerName: name,
  image: "web",
  cgroupId,
  podUid: `pod-${name}`,
  podName: name,
  namespace: "shop",
  labels: new Map([["app", "web"]]),
  hasAllLabels: true,
  ...more,
});
const relabel = (filter: PolicyFilter, name: string, app: string): void =>
  filter.updatePod({
    ...{ podUid: `pod-${name}`, podName: name, namespace: "shop", hasAllLabels: true },
    ...{ labels: new Map([["app", app]]), containerIds: [name] },
  });

describe("a container for which a map has no room", () => {
  test("is refused and in no map when it does not run yet", () => {
    const { filter, contents } = begin();
    filter.add(container("a", 10n));
    filter.add(container("b", 11n));
    expect(filter.add(container("c", 12n))).toMatchObject({ ok: false, error: { kind: "filter-full" } });
    expect(contents.get(1)).toEqual(new Set([10n, 11n]));
    expect([...filter.failedEntries()]).toEqual([]);
  });

  test("is on record when it runs, and gets in when another leaves", () => {
    const { filter, contents, lines } = begin();
    filter.add(container("a", 10n));
    filter.add(container("b", 11n));
    expect(filter.add(container("c", 12n, { runsAlready: true })).ok).toBeTrue();
    expect([...filter.failedEntries()]).toEqual([[1, 1]]);
    expect(filter.problems().join()).toContain("the filter maps are out of date for 1 cgroup");
    filter.remove("a");
    expect(contents.get(1)).toEqual(new Set([11n, 12n]));
    expect([[...filter.failedEntries()], filter.problems().join()]).toEqual([[], ""]);
    expect(lines).toEqual([
      "cannot change an entry of a filter map; retrying",
      "filter map is complete again",
    ]);
  });

  test("stays where an earlier agent has put it", () => {
    const found = new Map([
      [1, { key: "", cgroupIds: new Set([10n, 11n]) }],
      [2, { key: "web", cgroupIds: new Set([11n, 90n]) }],
    ]);
    const { filter, contents } = begin(found);
    filter.putFilter("web", about("web"));
    expect(filter.add(container("a", 10n)).ok).toBeTrue();
    expect(contents).toEqual(
      new Map([
        [1, new Set([10n, 11n])],
        [2, new Set([11n, 90n])],
      ]),
    );
    filter.removeInherited([90n]);
    expect(contents.get(2)).toEqual(new Set([11n, 10n]));
    expect([...filter.failedEntries()]).toEqual([]);
  });
});

describe("a change of a running container for which a map has no room", () => {
  test("of labels is made when there is room, and once it is not wanted any more it is forgotten", () => {
    const { filter, contents, room } = begin();
    filter.putFilter("db", about("db"));
    filter.add(container("a", 10n));
    filter.add(container("b", 11n));
    room.left = 0;
    relabel(filter, "a", "db");
    relabel(filter, "b", "db");
    expect([...filter.failedEntries()]).toEqual([[2, 2]]);
    relabel(filter, "b", "web");
    expect([...filter.failedEntries()]).toEqual([[2, 1]]);
    room.left = 2;
    filter.retry();
    expect(contents.get(2)).toEqual(new Set([10n]));
    expect([...filter.failedEntries()]).toEqual([]);
  });

  test("is forgotten with its policy", () => {
    const { filter, room } = begin();
    filter.putFilter("db", about("db"));
    filter.add(container("a", 10n));
    room.left = 0;
    relabel(filter, "a", "db");
    filter.removeFilter("db");
    expect(filter.problems().join()).toBe("");
  });
});

describe("filters that wait for their turn", () => {
  const beginSlowly = (found?: FilterMaps["found"]) => {
    let release = (): void => {};
    const begun = begin(found, () => new Promise((resolve) => (release = resolve)));
    /** The next one has its turn. */
    const turn = async (): Promise<void> => {
      release();
      for (let at = 0; at < 10; at++) await Promise.resolve();
    };
    return { ...begun, turn };
  };

  test("are loading, and containers that come meanwhile are in them in the end", async () => {
    const { filter, contents, turn } = beginSlowly();
    filter.putFilter("grpc//web", about("web"));
    filter.putFilter("grpc//db", about("db"));
    filter.add(container("a", 10n));
    expect([filter.status("grpc//web"), contents.get(2)]).toEqual([{ kind: "loading" }, undefined]);
    await turn();
    expect([filter.status("grpc//web").kind, filter.status("grpc//db").kind]).toEqual([
      "in-force",
      "loading",
    ]);
    await turn();
    await filter.settled();
    expect([contents.get(2), contents.get(3)]).toEqual([new Set([10n]), new Set()]);
  });

  test("count in their newest version alone, and not at all when they are removed or the same", async () => {
    const { filter, contents, turn } = beginSlowly();
    filter.add(container("a", 10n));
    for (const app of ["x", "y", "web"]) filter.putFilter("grpc//p", about(app));
    filter.putFilter("grpc//q", about("web"));
    filter.removeFilter("grpc//q");
    await turn();
    await filter.settled();
    expect(contents).toEqual(
      new Map([
        [1, new Set([10n])],
        [2, new Set([10n])],
      ]),
    );
    filter.putFilter("grpc//p", about("web"));
    expect(filter.status("grpc//p")).toEqual({ kind: "in-force" });
  });

  test("are not removed as an earlier agent's that are not wanted", async () => {
    const found = new Map([
      [1, { key: "", cgroupIds: new Set([10n]) }],
      [2, { key: "grpc//web", cgroupIds: new Set([10n]) }],
      [3, { key: "grpc//gone", cgroupIds: new Set([10n]) }],
    ]);
    const { filter, contents, turn } = beginSlowly(found);
    filter.putFilter("grpc//web", about("web"));
    filter.removeUnusedFilters();
    expect([...contents.keys()]).toEqual([1, 2]);
    await turn();
    expect(contents.get(2)).toEqual(new Set([10n]));
  });

  test("and do not fit then have what they had, are told, and are tried again", async () => {
    const { filter, contents, room, turn } = beginSlowly();
    filter.add(container("a", 10n));
    filter.putFilter("grpc//p", about("db"));
    await turn();
    filter.putFilter("grpc//p", about("web"));
    room.left = 0;
    await turn();
    expect(filter.status("grpc//p")).toEqual({ kind: "failed", error: "the map is full" });
    expect(filter.problems()).toEqual(["the filter of grpc//p is not in force: the map is full"]);
    expect(contents.get(2)).toEqual(new Set());
    room.left = 2;
    filter.retry();
    await turn();
    expect([filter.status("grpc//p").kind, filter.problems()]).toEqual(["in-force", []]);
    expect(contents.get(2)).toEqual(new Set([10n]));
  });
});

test("whatever fails meanwhile, the maps are right once there is room and all is tried again", () => {
  const { filter, contents, room } = begin();
  const pick = (count: number): number => Math.floor(Math.random() * count);
  for (let step = 0; step < 5000; step++) {
    room.left = pick(8);
    const name = `c${pick(6)}`;
    const app = ["web", "db"][pick(2)] ?? "";
    switch (pick(6)) {
      case 0:
      case 1:
        filter.add(container(name, BigInt(10 + pick(8)), { runsAlready: pick(2) === 0 }));
        break;
      case 2:
        filter.remove(name);
        break;
      case 3:
        relabel(filter, name, app);
        break;
      case 4:
        filter.putFilter(["p", "q"][pick(2)] ?? "", about(app));
        break;
      default:
        filter.removeFilter(["p", "q"][pick(2)] ?? "");
    }
    if (step % 10 !== 0) continue;
    room.left = 1000;
    filter.retry();
    const all = new Set([...filter.list()].map(({ cgroupId }) => cgroupId));
    expect(contents.get(1)).toEqual(all);
    for (const [filterId, size] of filter.sizes()) expect(contents.get(filterId)?.size).toBe(size);
    expect(filter.problems().join()).toBe("");
  }
});

describe("inherited entries of cgroups below a container's own", () => {
  const beginNested = () => {
    const begun = begin(
      new Map([
        [1, { key: "", cgroupIds: new Set([10n, 20n]) }],
        [2, { key: "web", cgroupIds: new Set([10n, 20n]) }],
        [3, { key: "db", cgroupIds: new Set([20n]) }],
      ]),
    );
    begun.room.left = 10;
    return begun;
  };

  test("go from the filters that have the container's own, before the container is known, too", () => {
    const { filter, contents } = beginNested();
    filter.removeCovered(new Map([[20n, 10n]]));
    expect([...contents.values()]).toEqual([new Set([10n]), new Set([10n]), new Set([20n])]);
  });

  test("go, and the container's own stay until they are known to be wrong", () => {
    const { filter, contents } = beginNested();
    filter.putFilter("web", about("web"));
    filter.removeUnusedFilters();
    filter.add(container("a", 10n, { hasAllLabels: false, labels: new Map(), runsAlready: true }));
    expect(contents.get(2)).toEqual(new Set([10n, 20n]));
    filter.removeInherited([20n]);
    expect([...contents.values()]).toEqual([new Set([10n]), new Set([10n])]);
    relabel(filter, "a", "db");
    expect([...contents.values()]).toEqual([new Set([10n]), new Set()]);
  });
});
