// SPDX-License-Identifier: Apache-2.0
// The policy filter's maps as Tetragon makes them (pkg/policyfilter/map.go), and one more of this project's own.

import type { MapSpec } from "@rthooks/bpf";
import { KEY_BYTES } from "../core/filter-map-layout.ts";

/** Policies of this agent, the entry of all pods among them. */
const OUTER_ENTRIES = 128;

/** policy_filter_maps. `unnamed`: ids of other programs that are kept, beside those of this agent. */
export const outerSpec = (unnamed: number): MapSpec => ({
  type: "hash-of-maps",
  name: "policy_filter_m",
  keySize: 4,
  valueSize: 4,
  maxEntries: OUTER_ENTRIES + unnamed,
});

export const innerSpec = (filterId: number): MapSpec => ({
  type: "hash",
  name: `policy_${filterId}_map`,
  keySize: 8,
  valueSize: 1,
  maxEntries: 32_768,
});

/** policy_filter_keys: whose each policy id is. */
export const keysSpec: MapSpec = {
  type: "hash",
  name: "policy_filter_k",
  keySize: 4,
  valueSize: KEY_BYTES,
  maxEntries: 2 * OUTER_ENTRIES,
};

/** The value of a cgroup in a policy's map, which nothing reads. */
export const present = new Uint8Array(1);
