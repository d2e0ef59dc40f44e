// SPDX-License-Identifier: Apache-2.0
// policy_filter_keys: the key of each filter id.

import { join } from "node:path";
import { type Bpf, type BpfMap, renderBpfError } from "@rthooks/bpf";
import { err, ok, type Result } from "@rthooks/result";
import { isFilterKey } from "../core/filter-key.ts";
import { decodeKey, encodeKey, toFilterIds, toIdKey } from "../core/filter-map-layout.ts";
import { keysSpec } from "./filter-map-specs.ts";
import { openPinnedMap, type PinReports } from "./pinned-map.ts";

export const openKeysMap = (bpf: Bpf, directory: string, reports: PinReports): Result<BpfMap, string> =>
  openPinnedMap({
    ...{ bpf, path: join(directory, "policy_filter_keys"), spec: keysSpec, copy: copyKeys, reports },
  });

/** Only valid keys: the old map may be another program's. */
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

/** Removes the keys of ids that have no filter: an agent was ended between the two changes. */
export function removeStaleKeys(keys: BpfMap, filters: { has(filterId: number): boolean }): void {
  const ids = keys.keys();
  if (!ids.ok) return;
  for (const filterId of toFilterIds(ids.value)) if (!filters.has(filterId)) keys.delete(toIdKey(filterId));
}
