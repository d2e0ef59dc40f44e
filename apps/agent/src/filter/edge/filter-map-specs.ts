// SPDX-License-Identifier: Apache-2.0
// The layouts of the filter maps as Tetragon creates them (pkg/policyfilter/map.go), and of policy_filter_keys.

import type { MapSpec } from "@rthooks/bpf";
import { KEY_BYTES } from "../core/filter-map-layout.ts";

/** Filters of this agent, that of all pods included. */
const OUTER_ENTRIES = 128;

/** policy_filter_maps. `unnamed`: how many filters of other programs it keeps. */
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

/** policy_filter_keys: the key of each filter id. */
export const keysSpec: MapSpec = {
  type: "hash",
  name: "policy_filter_k",
  keySize: 4,
  valueSize: KEY_BYTES,
  maxEntries: 2 * OUTER_ENTRIES,
};

/** The value of a cgroup in the map of a filter; its content has no meaning. */
export const present = new Uint8Array(1);
