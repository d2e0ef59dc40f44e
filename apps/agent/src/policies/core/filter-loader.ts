// SPDX-License-Identifier: Apache-2.0
// The part loader for filters: a policy has one of its own, and one for each selector with `matchWorkloads`.

import { type Filter, listMatchWorkloads, type TracingPolicy, toFilter } from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";
import { type PolicyName, toPolicyKey, toSelectorKey } from "../../filter/core/filter-key.ts";
import type { PolicyFilter } from "../../filter/core/policy-filter.ts";
import type { PartLoader } from "./policy-loader.ts";

export interface FilterLoader extends PartLoader {
  /** The id of the policy's own filter; 0 where it needs none or is not loaded. */
  filterId(name: PolicyName): number;
  /** Undefined for a policy that is not loaded. */
  policyOf(name: PolicyName): TracingPolicy | undefined;
}

/** By filter key. */
type Filters = ReadonlyMap<string, Filter>;

interface LoadedFilters {
  readonly policy: TracingPolicy;
  readonly filters: Filters;
  readonly ownId: number;
}

export function createFilterLoader(
  filter: Pick<PolicyFilter, "putFilter" | "removeFilter" | "status" | "settled">,
): FilterLoader {
  /** By policy key. */
  const loaded = new Map<string, LoadedFilters>();

  /** All filters of the policy, or what was there before. */
  const put = (name: PolicyName, policy: TracingPolicy): Result<void, string> => {
    const key = toPolicyKey(name);
    const before = loaded.get(key)?.filters ?? noFilters;
    const wanted = listFilters(key, policy);
    let ownId = 0;
    for (const [filterKey, one] of wanted) {
      const id = filter.putFilter(filterKey, one);
      if (!id.ok) {
        setBack(wanted, before);
        return err(`its filter cannot be set: ${id.error}`);
      }
      if (filterKey === key) ownId = id.value;
    }
    for (const filterKey of before.keys()) if (!wanted.has(filterKey)) filter.removeFilter(filterKey);
    loaded.set(key, { policy, filters: wanted, ownId });
    return ok(undefined);
  };

  const setBack = (wanted: Filters, before: Filters): void => {
    for (const filterKey of wanted.keys()) {
      const old = before.get(filterKey);
      if (old === undefined) filter.removeFilter(filterKey);
      else filter.putFilter(filterKey, old);
    }
  };

  return {
    prepare: () => Promise.resolve(ok(undefined)),
    conclude: () => {},
    load: put,
    replace: put,
    // The filter says which containers the policy selects, whether it is enabled or not.
    configure: () => ok(undefined),
    unload(name) {
      const key = toPolicyKey(name);
      for (const filterKey of loaded.get(key)?.filters.keys() ?? []) filter.removeFilter(filterKey);
      loaded.delete(key);
    },
    state(name) {
      const filters = loaded.get(toPolicyKey(name))?.filters ?? noFilters;
      let isLoading = false;
      for (const filterKey of filters.keys()) {
        const status = filter.status(filterKey);
        if (status.kind === "failed")
          return { kind: "failed", error: `its filter is not in force: ${status.error}` };
        isLoading ||= status.kind === "loading";
      }
      return { kind: isLoading ? "loading" : "in-force" };
    },
    settled: filter.settled,
    filterId: (name) => loaded.get(toPolicyKey(name))?.ownId ?? 0,
    policyOf: (name) => loaded.get(toPolicyKey(name))?.policy,
  };
}

const noFilters: Filters = new Map();

function listFilters(key: string, policy: TracingPolicy): Filters {
  const filters = new Map<string, Filter>();
  const own = toFilter(policy);
  if (own !== undefined) filters.set(key, own);
  for (const { hooks, hookIndex, selectorIndex, filter } of listMatchWorkloads(policy)) {
    if (filter !== undefined) filters.set(toSelectorKey(key, hooks, hookIndex, selectorIndex), filter);
  }
  return filters;
}
