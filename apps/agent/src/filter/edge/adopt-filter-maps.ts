// SPDX-License-Identifier: Apache-2.0
// Opens the pinned filter maps that an earlier agent, or another program, has left, and creates the missing ones. Every map
// is checked, also the maps inside policy_filter_maps; one with an unexpected layout is copied into a new one, which takes
// its place at once, so that no container leaves a filter.

import { join } from "node:path";
import { type Bpf, type BpfMap, findMismatch, renderBpfError } from "@rthooks/bpf";
import { ALL_PODS_ID } from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";
import { toCgroupKeys, toIdKey } from "../core/filter-map-layout.ts";
import { innerSpec, outerSpec, present } from "./filter-map-specs.ts";
import { openKeysMap, removeStaleKeys } from "./keys-map.ts";
import { findPinMismatch, findPinned, type PinReports, pinOver, setAside } from "./pinned-map.ts";
import { type AdoptedFilter, readFilters } from "./read-filters.ts";

export interface AdoptedMaps {
  readonly outer: BpfMap;
  readonly keys: BpfMap;
  /** The filter of all pods is always among them. */
  readonly filters: ReadonlyMap<number, AdoptedFilter>;
}

/** The error is one line; no map is left open then. */
export function adoptFilterMaps(
  bpf: Bpf,
  directory: string,
  reports: PinReports,
): Result<AdoptedMaps, string> {
  const opened = new Set<BpfMap>();
  const adopted = adopt(bpf, directory, reports, opened);
  const kept = new Set(
    adopted.ok
      ? [
          adopted.value.outer,
          adopted.value.keys,
          ...[...adopted.value.filters.values()].map(({ inner }) => inner),
        ]
      : [],
  );
  for (const map of opened) if (!kept.has(map)) map.close();
  return adopted;
}

/** Adds every map that it opens to `opened`. */
function adopt(
  bpf: Bpf,
  directory: string,
  reports: PinReports,
  opened: Set<BpfMap>,
): Result<AdoptedMaps, string> {
  const keys = openKeysMap(bpf, directory, reports);
  if (!keys.ok) return keys;
  opened.add(keys.value);

  const path = join(directory, "policy_filter_maps");
  const before = openOuter(bpf, path, reports);
  if (!before.ok) return before;
  if (before.value !== undefined) opened.add(before.value);
  const found =
    before.value === undefined ? ok([]) : readFilters(bpf, before.value, keys.value, reports, opened);
  if (!found.ok) return found;

  const filters = new Map(found.value);
  const replaced: number[] = [];
  for (const [filterId, filter] of found.value) {
    const inner = convertInner(bpf, filterId, filter);
    if (!inner.ok) return inner;
    if (inner.value === filter.inner) continue;
    opened.add(inner.value);
    replaced.push(filterId);
    reports.note(`the map of filter ${filterId} in ${path} has an unexpected layout and is replaced`);
    filters.set(filterId, { ...filter, inner: inner.value });
  }
  if (!filters.has(ALL_PODS_ID)) {
    const made = bpf.createMap(innerSpec(ALL_PODS_ID));
    if (!made.ok) return err(renderBpfError(made.error));
    opened.add(made.value);
    replaced.push(ALL_PODS_ID);
    filters.set(ALL_PODS_ID, { inner: made.value, key: "", cgroupIds: new Set() });
  }

  const outer = convertOuter({ bpf, path, reports }, before.value, filters, replaced);
  if (!outer.ok) return outer;
  opened.add(outer.value);
  removeStaleKeys(keys.value, filters);
  return ok({ outer: outer.value, keys: keys.value, filters });
}

/** Undefined where nothing usable is pinned; something else in its place is renamed. */
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
  const aside = setAside(path, what, reports);
  return aside.ok ? ok(undefined) : aside;
}

/** The same map, or one with the expected layout. It has room for all cgroups of the old one, also beyond the usual size. */
function convertInner(
  bpf: Bpf,
  filterId: number,
  { inner, cgroupIds }: AdoptedFilter,
): Result<BpfMap, string> {
  const spec = innerSpec(filterId);
  if (findMismatch(inner.info, spec) === undefined) return ok(inner);
  const made = bpf.createMap({ ...spec, maxEntries: Math.max(spec.maxEntries, cgroupIds.size) });
  if (!made.ok) return err(renderBpfError(made.error));
  const filled = made.value.updateMany(toCgroupKeys(cgroupIds), present);
  if (filled.ok) return ok(made.value);
  made.value.close();
  return err(renderBpfError(filled.error));
}

interface OuterPlace {
  readonly bpf: Bpf;
  readonly path: string;
  readonly reports: PinReports;
}

/** The same map, or one with the expected layout, with all filters. `replaced`: ids whose inner map is another one now. */
function convertOuter(
  { bpf, path, reports }: OuterPlace,
  before: BpfMap | undefined,
  filters: ReadonlyMap<number, AdoptedFilter>,
  replaced: readonly number[],
): Result<BpfMap, string> {
  const unnamed = [...filters].filter(([id, { key }]) => key === "" && id !== ALL_PODS_ID).length;
  const spec = outerSpec(unnamed);
  const put = (outer: BpfMap, ids: readonly number[]): Result<void, string> => {
    for (const [id, { inner }] of filters) {
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
    reports.note(`${path} has an unexpected layout and is replaced: ${mismatch.value}`);
  }
  const made = bpf.createMapOfMaps(spec, innerSpec(0));
  if (!made.ok) return err(renderBpfError(made.error));
  const filled = put(made.value, [...filters.keys()]);
  const done = filled.ok ? pinOver(made.value, path) : filled;
  if (done.ok) return ok(made.value);
  made.value.close();
  return done;
}
