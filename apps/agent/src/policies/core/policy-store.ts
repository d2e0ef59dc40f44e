// SPDX-License-Identifier: Apache-2.0
// The policies that the agent has, whoever gave them: each with its filter in the maps, or with the reason why not.

import {
  type Filter,
  listMatchWorkloads,
  type PolicyMode,
  policyMode,
  type TracingPolicy,
  toFilter,
} from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";
import { type PolicyName, toPolicyKey, toSelectorKey } from "../../filter/core/filter-key.ts";
import type { PolicyFilter } from "../../filter/core/policy-filter.ts";

export type { PolicyName } from "../../filter/core/filter-key.ts";

/** Where a policy comes from; names are unique within. "sensors" is nobody's. */
type Domain = "grpc" | "static" | "k8s";

export const toPolicyName = (
  domain: string,
  { name, namespace }: Pick<TracingPolicy, "name" | "namespace">,
): PolicyName => ({ name, namespace: namespace ?? "", domain });

export interface PolicyStatus extends PolicyName {
  /** In the order of their coming. */
  readonly id: number;
  /** `loading`: the kernel does not have all of its filters yet. */
  readonly state: "enabled" | "disabled" | "load_error" | "skipped" | "loading";
  readonly mode: PolicyMode;
  /** 0 for a policy that needs none, or has none. */
  readonly filterId: number;
  /** Empty where nothing is wrong. */
  readonly error: string;
}

/** Errors are one line for people. */
export interface PolicyStore {
  /** One that is refused is not tried again: the error has gone to the caller. */
  add(domain: string, policy: TracingPolicy): Result<void, string>;
  /** In place of the one of its name, which goes on where the new one has no filter. */
  put(domain: string, policy: TracingPolicy): Result<void, string>;
  /** Puts those again whose filters were refused, once other filters have gone since. */
  retryRefused(): void;
  /** It is there and cannot be used; one of its name that is in force stays so. */
  reject(name: PolicyName, error: string): void;
  /** It is there and not for this node: it has no filter. */
  skip(name: PolicyName): void;
  remove(name: PolicyName): Result<void, string>;
  configure(
    name: PolicyName,
    change: { readonly enable?: boolean; readonly mode?: "enforce" | "monitor" },
  ): Result<void, string>;
  /** Of all domains without one. */
  list(domain: string): readonly PolicyStatus[];
  /** The kernel has what was asked for so far, or has refused it, which the list tells. */
  settled(): Promise<void>;
  domains(): readonly string[];
}

interface Entry {
  status: PolicyStatus;
  /** Its own, and one for each selector of workloads in it, by their keys in the maps. */
  readonly filters: Filters;
}

type Filters = ReadonlyMap<string, Filter>;

const builtIn: readonly Domain[] = ["grpc", "k8s"];
/** What a domain of a client's own may be called: it is part of the keys in the maps. */
const DOMAIN = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/** Without the optional ones what is put is in force at once. */
type StoreFilter = Pick<PolicyFilter, "putFilter" | "removeFilter"> &
  Partial<Pick<PolicyFilter, "status" | "settled">>;

export function createPolicyStore(filter: StoreFilter): PolicyStore {
  const entries = new Map<string, Entry>();
  /** The newest version of each that was put and has no filters, by its key. */
  const refused = new Map<string, { readonly domain: string; readonly policy: TracingPolicy }>();
  /** Filters have gone since refused policies were last put again. */
  let hasRoom = false;
  let lastId = 0;

  const removeFilter = (filterKey: string): void => {
    filter.removeFilter(filterKey);
    hasRoom = refused.size > 0;
  };

  const find = (name: PolicyName): Result<Entry, string> => {
    const entry = entries.get(toPolicyKey(name));
    if (entry !== undefined) return ok(entry);
    const others = [...entries.values()].flatMap(({ status }) =>
      status.name === name.name ? render(status) : [],
    );
    const hint = others.length === 0 ? "" : `; of this name there is ${others.join(", ")}`;
    return err(`there is no tracing policy ${render(name)}${hint}`);
  };

  /** All of them, or what was there before; gives the id of the one that is the policy's own, 0 where it needs none. */
  const setFilters = (key: string, wanted: Filters, before: Filters): Result<number, string> => {
    let own = 0;
    for (const [filterKey, definition] of wanted) {
      const id = filter.putFilter(filterKey, definition);
      if (!id.ok) {
        for (const [undone] of wanted) {
          const old = before.get(undone);
          if (old === undefined) filter.removeFilter(undone);
          else filter.putFilter(undone, old);
        }
        return id;
      }
      if (filterKey === key) own = id.value;
    }
    for (const filterKey of before.keys()) if (!wanted.has(filterKey)) removeFilter(filterKey);
    return ok(own);
  };

  /** As the kernel has it by now. */
  const look = ({ status, filters }: Entry): PolicyStatus => {
    if (!isInForce(status)) return status;
    const standings = [...filters.keys()].flatMap((key) => filter.status?.(key) ?? []);
    for (const standing of standings)
      if (standing.kind === "failed")
        return { ...status, state: "load_error", error: `its filter is not in force: ${standing.error}` };
    return standings.some(({ kind }) => kind === "loading") ? { ...status, state: "loading" } : status;
  };

  const put = (domain: string, policy: TracingPolicy): Result<void, string> => {
    if (domain === "sensors" || !DOMAIN.test(domain)) {
      return err(`${JSON.stringify(domain)} is no domain for policies`);
    }
    const name = toPolicyName(domain, policy);
    const key = toPolicyKey(name);
    const entry = entries.get(key);
    const old = entry?.status;
    const filters = toFilters(key, policy);
    const filterId = setFilters(key, filters, entry?.filters ?? noFilters);
    const error = filterId.ok ? "" : `its filter cannot be set: ${filterId.error}`;
    if (filterId.ok) refused.delete(key);
    else refused.set(key, { domain, policy });
    if (entry !== undefined && old !== undefined && isInForce(old) && !filterId.ok) {
      entry.status = { ...old, error: `a newer one is not used: ${error}` };
    } else {
      const status: PolicyStatus = {
        ...name,
        id: old?.id ?? ++lastId,
        state: filterId.ok ? "enabled" : "load_error",
        mode: policyMode(policy),
        filterId: filterId.ok ? filterId.value : 0,
        error,
      };
      entries.set(key, { status, filters: filterId.ok ? filters : noFilters });
    }
    return filterId.ok ? ok(undefined) : err(`tracing policy ${render(name)}: ${error}`);
  };

  return {
    put,
    add(domain, policy) {
      const name = toPolicyName(domain, policy);
      const old = entries.get(toPolicyKey(name))?.status;
      if (old !== undefined && isInForce(old)) {
        return err(`tracing policy ${render(name)} is there already: delete it first`);
      }
      const added = put(domain, policy);
      refused.delete(toPolicyKey(name));
      return added;
    },
    retryRefused() {
      if (!hasRoom) return;
      hasRoom = false;
      for (const { domain, policy } of [...refused.values()]) put(domain, policy);
    },
    reject(name, error) {
      refused.delete(toPolicyKey(name));
      const entry = entries.get(toPolicyKey(name));
      const old = entry?.status;
      const status: PolicyStatus =
        old !== undefined && isInForce(old)
          ? { ...old, error: `a newer one is not used: ${error}` }
          : {
              ...name,
              id: old?.id ?? ++lastId,
              state: "load_error",
              mode: "monitor_only",
              filterId: 0,
              error,
            };
      if (entry === undefined) entries.set(toPolicyKey(name), { status, filters: noFilters });
      else entry.status = status;
    },
    skip(name) {
      refused.delete(toPolicyKey(name));
      const entry = entries.get(toPolicyKey(name));
      for (const filterKey of entry?.filters.keys() ?? []) removeFilter(filterKey);
      const status: PolicyStatus = {
        ...name,
        id: entry?.status.id ?? ++lastId,
        state: "skipped",
        mode: entry?.status.mode ?? "monitor_only",
        filterId: 0,
        error: "",
      };
      entries.set(toPolicyKey(name), { status, filters: noFilters });
    },
    remove(name) {
      const entry = find(name);
      if (!entry.ok) return entry;
      entries.delete(toPolicyKey(name));
      refused.delete(toPolicyKey(name));
      for (const filterKey of entry.value.filters.keys()) removeFilter(filterKey);
      return ok(undefined);
    },
    configure(name, { enable, mode }) {
      const found = find(name);
      if (!found.ok) return found;
      const entry = found.value;
      const { status } = entry;
      // Checked before anything is changed: half of a configuration is none.
      if (!isInForce(status)) {
        const why = status.state === "skipped" ? "it is not for this node" : status.error;
        return err(`tracing policy ${render(name)} is not loaded: ${why}`);
      }
      if (mode !== undefined && status.mode === "monitor_only") {
        return err("cannot set policy mode on a policy that is monitor only");
      }
      if (enable !== undefined && enable === (status.state === "enabled")) {
        return err(`tracing policy ${render(name)} is not ${enable ? "disabled" : "enabled"}`);
      }
      const state = enable === undefined ? status.state : enable ? "enabled" : "disabled";
      entry.status = { ...status, state, mode: mode ?? status.mode };
      return ok(undefined);
    },
    list: (domain) =>
      [...entries.values()]
        .map(look)
        .filter((status) => domain === "" || status.domain === domain)
        .toSorted((one, other) => one.id - other.id),
    settled: () => filter.settled?.() ?? Promise.resolve(),
    domains: () =>
      [...new Set([...builtIn, ...[...entries.values()].map(({ status }) => status.domain)])].toSorted(),
  };
}

const isInForce = ({ state }: PolicyStatus): boolean => state !== "load_error" && state !== "skipped";

const noFilters: Filters = new Map();

/** Selectors of workloads are asked for by ids of their own, out of the same numbers. */
function toFilters(key: string, policy: TracingPolicy): Filters {
  const filters = new Map<string, Filter>();
  const own = toFilter(policy);
  if (own !== undefined) filters.set(key, own);
  for (const { hooks, hookIndex, selectorIndex, filter } of listMatchWorkloads(policy)) {
    if (filter !== undefined) filters.set(toSelectorKey(key, hooks, hookIndex, selectorIndex), filter);
  }
  return filters;
}

const render = ({ namespace, name, domain }: PolicyName): string =>
  `${JSON.stringify(namespace === "" ? name : `${namespace}/${name}`)} (domain ${domain})`;
