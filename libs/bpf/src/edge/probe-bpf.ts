// SPDX-License-Identifier: Apache-2.0
// Probes by trial, not by kernel version, which BPF map operations this process can use.

import { err, ok, type Result } from "@rthooks/result";
import { renderBpfError } from "../core/bpf-error.ts";
import type { MapSpec } from "../core/map-spec.ts";
import type { Bpf } from "./open-bpf.ts";

/** By name; the error is one line with the reason. */
type BpfCapabilities = Readonly<
  Record<"bpf_hash_map" | "bpf_map_of_maps" | "bpf_map_batch", Result<void, string>>
>;

const inner: MapSpec = { type: "hash", name: "probe", keySize: 8, valueSize: 1, maxEntries: 2 };
const outer: MapSpec = { type: "hash-of-maps", name: "probe_outer", keySize: 4, valueSize: 4, maxEntries: 1 };

/** Creates its own maps and closes them. */
export function probeBpf(bpf: Bpf): BpfCapabilities {
  const map = bpf.createMap(inner);
  if (!map.ok) {
    const unavailable = err(renderBpfError(map.error));
    return { bpf_hash_map: unavailable, bpf_map_of_maps: unavailable, bpf_map_batch: unavailable };
  }
  const ofMaps = bpf.createMapOfMaps(outer, inner);
  if (ofMaps.ok) ofMaps.value.close();
  const batch = map.value.updateBatch(
    new Uint8Array(2 * inner.keySize).fill(1, inner.keySize),
    new Uint8Array(2),
  );
  map.value.close();
  return {
    bpf_hash_map: ok(undefined),
    bpf_map_of_maps: ofMaps.ok ? ok(undefined) : err(renderBpfError(ofMaps.error)),
    bpf_map_batch: batch.error === undefined ? ok(undefined) : err(renderBpfError(batch.error)),
  };
}
