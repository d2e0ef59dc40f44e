// SPDX-License-Identifier: Apache-2.0
// Changes of policy_filter_maps itself. With each call the kernel waits for an RCU grace period (5 to 20 ms), and it takes
// about 0.6 ms to create the map of a filter, so this runs in a thread of its own.

import { type Bpf, type BpfMap, renderBpfError } from "@rthooks/bpf";
import { err, type Result } from "@rthooks/result";
import { toIdKey } from "../core/filter-map-layout.ts";
import { innerSpec } from "./filter-map-specs.ts";

export interface OuterChange {
  /** Ids to remove; they go first. */
  readonly removed: readonly number[];
  /** Ids to put, with the descriptors of their maps. */
  readonly put: readonly (readonly [filterId: number, fd: number])[];
}

/** The failures by filter id, one line each. */
export interface OuterOutcome {
  readonly removed: ReadonlyMap<number, string>;
  readonly put: ReadonlyMap<number, string>;
}

export interface OuterMap {
  /** Creates the maps of filters; the caller closes them. */
  create(filterIds: readonly number[]): Promise<ReadonlyMap<number, Result<BpfMap, string>>>;
  change(change: OuterChange): Promise<OuterOutcome>;
  close(): void;
}

export const createInner = (bpf: Bpf, filterId: number): Result<BpfMap, string> => {
  const made = bpf.createMap(innerSpec(filterId));
  return made.ok ? made : err(renderBpfError(made.error));
};

export function changeOuter(outer: BpfMap, { removed, put }: OuterChange): OuterOutcome {
  return { removed: removeAll(outer, removed), put: putAll(outer, put) };
}

function removeAll(outer: BpfMap, ids: readonly number[]): ReadonlyMap<number, string> {
  const failures = new Map<number, string>();
  // One call for all. If it fails, one call for each shows which ones fail.
  if (ids.length === 0 || outer.deleteMany(toIdKeys(ids)).ok) return failures;
  for (const id of ids) {
    const done = outer.delete(toIdKey(id));
    if (!done.ok) failures.set(id, renderBpfError(done.error));
  }
  return failures;
}

function putAll(outer: BpfMap, put: OuterChange["put"]): ReadonlyMap<number, string> {
  const failures = new Map<number, string>();
  if (put.length === 0) return failures;
  const batch =
    put.length === 1
      ? { done: 0 }
      : outer.updateBatch(toIdKeys(put.map(([id]) => id)), toIdKeys(put.map(([, fd]) => fd)));
  for (const [id, fd] of put.slice(batch.done)) {
    const done = outer.update(toIdKey(id), toIdKey(fd));
    if (!done.ok) failures.set(id, renderBpfError(done.error));
  }
  return failures;
}

const toIdKeys = (ids: readonly number[]): Uint8Array => new Uint8Array(new Uint32Array(ids).buffer);
