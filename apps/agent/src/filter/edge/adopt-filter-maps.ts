// SPDX-License-Identifier: Apache-2.0
// The pinned maps of an earlier agent, or of another program, as this one begins with them. Every map is checked as a whole,
// and so is every map inside it; what is not right is copied into one that is, and takes its place at once.

import { join } from "node:path";
import { type Bpf, type BpfMap, findMismatch, renderBpfError } from "@rthooks/bpf";
import { ALL_PODS_ID } from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";
import { isFilterKey } from "../core/filter-key.ts";
import {
  decodeKey,
  encodeKey,
  toCgroupIds,
  toFilterIds,
  toIdKey,
  toMapId,
} from "../core/filter-map-layout.ts";
import { innerSpec, keysSpec, outerSpec, present } from "./filter-map-specs.ts";
import {
  findPinMismatch,
  findPinned,
  openPinnedMap,
  type PinReports,
  pinOver,
  setAside,
} from "./pinned-map.ts";

interface AdoptedFilter {
  readonly inner: BpfMap;
  /** Empty where nothing says whose the id is. */
  readonly key: string;
  readonly cgroupIds: Set<bigint>;
}

export interface AdoptedMaps {
  readonly outer: BpfMap;
  readonly keys: BpfMap;
  readonly policies: ReadonlyMap<number, AdoptedFilter>;
}

/** The error is one line for people, and nothing is left open then. */
export function adoptFilterMaps(
  bpf: Bpf,
  directory: string,
  reports: PinReports,
): Result<AdoptedMaps, string> {
  const opened = new Set<BpfMap>();
  const close = <T>(failure: T): T => {
    for (const map of opened) map.close();
    return failure;
  };
  const keys = openPinnedMap({
    ...{ bpf, path: join(directory, "policy_filter_keys"), spec: keysSpec, copy: copyKeys, reports },
  });
  if (!keys.ok) return keys;
  opened.add(keys.value);

  const path = join(directory, "policy_filter_maps");
  const before = openOuter(bpf, path, reports);
  if (!before.ok) return close(before);
  if (before.value !== undefined) opened.add(before.value);
  const policies = new Map<number, AdoptedFilter>();
  const read =
    before.value === undefined
      ? ok(undefined)
      : readFilters(bpf, before.value, keys.value, policies, reports);
  for (const { inner } of policies.values()) opened.add(inner);
  if (!read.ok) return close(read);

  const replaced: number[] = [];
  for (const [filterId, policy] of [...policies]) {
    const right = toRightInner(bpf, filterId, policy.inner, policy.cgroupIds);
    if (!right.ok) return close(right);
    if (right.value === policy.inner) continue;
    opened.add(right.value);
    replaced.push(filterId);
    reports.note(`the map of policy ${filterId} in ${path} is of another layout and is replaced`);
    policies.set(filterId, { ...policy, inner: right.value });
  }
  if (!policies.has(ALL_PODS_ID)) {
    const made = bpf.createMap(innerSpec(ALL_PODS_ID));
    if (!made.ok) return close(err(renderBpfError(made.error)));
    opened.add(made.value);
    replaced.push(ALL_PODS_ID);
    policies.set(ALL_PODS_ID, { inner: made.value, key: "", cgroupIds: new Set() });
  }

  const unnamed = [...policies].filter(([id, { key }]) => key === "" && id !== ALL_PODS_ID).length;
  const outer = toRightOuter({ bpf, path, unnamed, reports }, before.value, policies, replaced);
  if (!outer.ok) return close(outer);
  forgetStaleKeys(keys.value, policies);
  const kept = new Set([outer.value, keys.value, ...[...policies.values()].map(({ inner }) => inner)]);
  for (const map of opened) if (!kept.has(map)) map.close();
  return ok({ outer: outer.value, keys: keys.value, policies });
}

/** Undefined where there is none that can be understood. */
function openOuter(bpf: Bpf, path: string, reports: PinReports): Result<BpfMap | undefined, string> {
  const found = findPinned(bpf, path);
  if (!found.ok) return found;
  if (found.value.kind === "none") return ok(undefined);
  if (found.value.kind === "map") {
    const { map } = found.value;
    const { type, keySize, valueSize } = map.info;
    if (type === "hash-of-maps" && keySize === 4 && valueSize === 4) return ok(map);
    map.close();
  }
  const what = found.value.kind === "map" ? "a map of another kind" : found.value.what;
  const aside = setAside(path);
  if (!aside.ok) return aside;
  reports.problem(`${path} was ${what}: it is ${aside.value} now, remove it if nothing needs it`);
  return ok(undefined);
}

/** Maps whose keys are no cgroup ids are of no use to a policy: they are left out. */
function readFilters(
  bpf: Bpf,
  outer: BpfMap,
  keys: BpfMap,
  policies: Map<number, AdoptedFilter>,
  reports: PinReports,
): Result<void, string> {
  const ids = outer.keys();
  if (!ids.ok) return err(renderBpfError(ids.error));
  for (const filterId of toFilterIds(ids.value)) {
    const mapId = outer.lookup(toIdKey(filterId));
    if (!mapId.ok) return err(renderBpfError(mapId.error));
    if (mapId.value === undefined) continue;
    const inner = bpf.openById(toMapId(mapId.value));
    if (!inner.ok) return err(renderBpfError(inner.error));
    if (inner.value === undefined) continue;
    const map = inner.value;
    if (map.info.keySize !== 8) {
      map.close();
      reports.problem(
        `policy ${filterId} of policy_filter_maps had no cgroup ids in its map: it is left out`,
      );
      continue;
    }
    const members = map.keys();
    const key = keys.lookup(toIdKey(filterId));
    if (!members.ok || !key.ok) map.close();
    if (!members.ok) return err(renderBpfError(members.error));
    if (!key.ok) return err(renderBpfError(key.error));
    policies.set(filterId, {
      inner: map,
      key: key.value === undefined ? "" : decodeKey(key.value),
      cgroupIds: new Set(toCgroupIds(members.value)),
    });
  }
  return ok(undefined);
}

/** The same map if it is right. More cgroups than a right map takes are in one that has room for just them. */
function toRightInner(
  bpf: Bpf,
  filterId: number,
  inner: BpfMap,
  cgroupIds: ReadonlySet<bigint>,
): Result<BpfMap, string> {
  const spec = innerSpec(filterId);
  if (findMismatch(inner.info, spec) === undefined) return ok(inner);
  const { maxEntries } = spec;
  const made = bpf.createMap({ ...spec, maxEntries: Math.max(maxEntries, cgroupIds.size) });
  if (!made.ok) return err(renderBpfError(made.error));
  const filled = made.value.updateMany(new Uint8Array(new BigUint64Array([...cgroupIds]).buffer), present);
  if (filled.ok) return ok(made.value);
  made.value.close();
  return err(renderBpfError(filled.error));
}

interface OuterPlace {
  readonly bpf: Bpf;
  readonly path: string;
  readonly unnamed: number;
  readonly reports: PinReports;
}

/** With all policies in it, of which `replaced` have other maps than before. */
function toRightOuter(
  { bpf, path, unnamed, reports }: OuterPlace,
  before: BpfMap | undefined,
  policies: ReadonlyMap<number, AdoptedFilter>,
  replaced: readonly number[],
): Result<BpfMap, string> {
  const spec = outerSpec(unnamed);
  const put = (outer: BpfMap, ids: readonly number[]): Result<void, string> => {
    for (const [id, { inner }] of policies) {
      if (!ids.includes(id)) continue;
      const done = outer.update(toIdKey(id), toIdKey(inner.fd));
      if (!done.ok) return err(renderBpfError(done.error));
    }
    return ok(undefined);
  };
  if (before !== undefined) {
    const mismatch = findPinMismatch(bpf, before, spec, innerSpec(0));
    if (!mismatch.ok) return mismatch;
    if (mismatch.value === undefined) {
      const done = put(before, replaced);
      return done.ok ? ok(before) : done;
    }
    reports.note(`${path} is of another layout and is replaced: ${mismatch.value}`);
  }
  const made = bpf.createMapOfMaps(spec, innerSpec(0));
  if (!made.ok) return err(renderBpfError(made.error));
  const filled = put(made.value, [...policies.keys()]);
  const done = filled.ok ? pinOver(made.value, path) : filled;
  if (done.ok) return ok(made.value);
  made.value.close();
  return done;
}

/** What does not look like a key is not of this project. */
function copyKeys(from: BpfMap, to: BpfMap): Result<void, string> {
  if (from.info.type !== "hash" || from.info.keySize !== 4) return ok(undefined);
  const ids = from.keys();
  if (!ids.ok) return err(renderBpfError(ids.error));
  for (const filterId of toFilterIds(ids.value)) {
    const key = from.lookup(toIdKey(filterId));
    if (!key.ok) return err(renderBpfError(key.error));
    if (key.value === undefined) continue;
    const text = decodeKey(key.value);
    const bytes = isFilterKey(text) ? encodeKey(text) : undefined;
    if (bytes === undefined) continue;
    const done = to.update(toIdKey(filterId), bytes);
    if (!done.ok) return err(renderBpfError(done.error));
  }
  return ok(undefined);
}

/** Of ids that have no map: an agent was ended between the two. */
function forgetStaleKeys(keys: BpfMap, policies: ReadonlyMap<number, AdoptedFilter>): void {
  const ids = keys.keys();
  if (!ids.ok) return;
  for (const filterId of toFilterIds(ids.value)) if (!policies.has(filterId)) keys.delete(toIdKey(filterId));
}
