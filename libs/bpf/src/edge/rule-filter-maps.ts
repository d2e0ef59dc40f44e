// SPDX-License-Identifier: Apache-2.0

import { ok, type Result } from "@rthooks/result";
import type { BpfError } from "../core/bpf-error.ts";
import { inTurn } from "../core/in-turn.ts";
import type { MapUse } from "../core/map-use.ts";
import type { PlacedRule } from "../core/placed-rule.ts";
import { type CompiledFilters, type FacetMatch, prefixMaps, toWholeFacet } from "../core/rule-filters.ts";
import type { BpfMap } from "./bpf-map.ts";
import { openPrefixMap, type PrefixMap } from "./prefix-map.ts";
import { openRuleSetMap } from "./rule-set-map.ts";

/** The maps that say which events a rule matches. */
export interface RuleFilterMaps {
  /** After an error some values may be missing. */
  put(placed: PlacedRule, compiled: CompiledFilters): Result<void, BpfError>;
  remove(rules: ReadonlySet<number>): Result<void, BpfError>;
  /** Rules that are in one of the maps. */
  rules(): ReadonlySet<number>;
  /** Whether there are entries that no rule needs. */
  hasLeftovers(): boolean;
  /** By the names of the maps, those of a fixed size left out. */
  fill(): ReadonlyMap<string, MapUse>;
}

const names: Readonly<Record<FacetMatch["map"], string>> = {
  ...{ numbers: "number_filters", texts: "text_filters" },
  ...{ endings: "text_endings", addresses: "address_filters" },
};

const BITS = 64;

export function openRuleFilters(map: (name: string) => BpfMap): Result<RuleFilterMaps, BpfError> {
  const hooks = openRuleSetMap(map("hook_rules"));
  if (!hooks.ok) return hooks;
  const masks = openRuleSetMap(map("mask_filters"));
  if (!masks.ok) return masks;
  const prefixes = new Map<FacetMatch["map"], PrefixMap>();
  for (const name of prefixMaps) {
    const opened = openPrefixMap(map(names[name]), (facet) => toWholeFacet(name, facet));
    if (!opened.ok) return opened;
    prefixes.set(name, opened.value);
  }

  return ok({
    put: ({ number, hookIds }, compiled) =>
      inTurn(
        ...compiled.facets.map(
          ({ map: name, match }) =>
            () =>
              prefixes.get(name)?.put(number, match) ?? ok(undefined),
        ),
        () => masks.value.put(number, toMaskKeys(compiled)),
        () => hooks.value.put(number, new Set([...hookIds].map(BigInt))),
      ),
    remove: (rules) =>
      inTurn(
        () => hooks.value.remove(rules),
        () => masks.value.remove(rules),
        ...[...prefixes.values()].map((one) => () => one.remove(rules)),
      ),
    rules: () => new Set([hooks.value, masks.value, ...prefixes.values()].flatMap((one) => [...one.rules()])),
    fill: () => new Map([...prefixes].map(([name, one]) => [names[name], one.fill()])),
    hasLeftovers: () => [...prefixes.values()].some((one) => one.hasRedundant()),
  });
}

/** The bits of the masks, by the number of the facet. */
const toMaskKeys = ({ masks }: CompiledFilters): ReadonlySet<bigint> =>
  new Set(
    masks.flatMap(({ facet, mask }) =>
      Array.from({ length: BITS }, (_, bit) => BigInt(bit))
        .filter((bit) => ((mask >> bit) & 1n) === 1n)
        .map((bit) => BigInt(facet * BITS) + bit),
    ),
  );
