// SPDX-License-Identifier: Apache-2.0
// Unnamed filters: ids that policy_filter_maps has and policy_filter_keys has not. They belong to another program, or to an
// agent whose keys are lost, and are kept until their cgroups are gone.

import { ALL_PODS_ID } from "@rthooks/policy";
import type { FilterMaps } from "./filter-maps.ts";

const MAX_SHOWN = 10;

export const isUnnamed = ({ found }: FilterMaps, filterId: number): boolean =>
  filterId !== ALL_PODS_ID && found.get(filterId)?.key === "";

export const listUnnamed = (maps: FilterMaps): readonly number[] =>
  [...maps.found.keys()].filter((filterId) => isUnnamed(maps, filterId));

/** The ids of the filters that a key names. */
export const listNamed = ({ found }: FilterMaps): ReadonlyMap<string, number> =>
  new Map(
    [...found].flatMap(([filterId, { key }]) =>
      filterId === ALL_PODS_ID || key === "" ? [] : [[key, filterId] as const],
    ),
  );

/** One line; empty where there is none. */
export function renderUnnamed(filterIds: readonly number[]): string {
  if (filterIds.length === 0) return "";
  const shown = filterIds.toSorted((one, other) => one - other).slice(0, MAX_SHOWN);
  const more = shown.length < filterIds.length ? ", …" : "";
  return `policy_filter_maps has filters that policy_filter_keys does not name (ids ${shown.join(", ")}${more}): they are kept until their containers are gone`;
}
