// SPDX-License-Identifier: Apache-2.0
// All policies of the agent, from every domain, each with its state.

import { type PolicyMode, policyMode, type TracingPolicy } from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";
import { createSequence } from "../../base/core/sequence.ts";
import type { PolicySetting } from "../../enforcement/core/policy-setting.ts";
import { type PolicyName, toPolicyKey } from "../../filter/core/filter-key.ts";
import { builtInDomains, isDomain } from "./policy-domain.ts";
import type { PolicyLoader } from "./policy-loader.ts";

export type { PolicyName } from "../../filter/core/filter-key.ts";

export const toPolicyName = (
  domain: string,
  { name, namespace }: Pick<TracingPolicy, "name" | "namespace">,
): PolicyName => ({ name, namespace: namespace ?? "", domain });

export interface PolicyStatus extends PolicyName {
  /** Numbers count up from 1 in the order in which policies are added. */
  readonly id: number;
  /** `loading`: not yet in force; where it replaces an earlier version, that one is. `skipped`: not for this node. */
  readonly state: "enabled" | "disabled" | "load_error" | "skipped" | "loading";
  /** `unknown`: of a policy that could not be read, or is not for this node. */
  readonly mode: PolicyMode | "unknown";
  /** 0 for a policy that needs no filter or is not loaded. */
  readonly filterId: number;
  /** What holds its rules on this node; empty for a policy without hooks and for one that is not in force. */
  readonly heldBy: string;
  /** One line; empty without an error. */
  readonly error: string;
}

export interface PolicyChange {
  readonly enable?: boolean;
  readonly mode?: "enforce" | "monitor";
}

/** Changes are made one after the other, in the order of their calls. Errors are one line. */
export interface PolicyStore {
  /** An error for a name that is loaded already. A policy that is refused is not retried: the caller has the error. */
  add(domain: string, policy: TracingPolicy): Promise<Result<void, string>>;
  /**
   * Replaces the policy of the name, which stays in force where the new one is refused. `change`: of the policy as it is
   * written, from its first moment on.
   */
  put(domain: string, policy: TracingPolicy, change?: PolicyChange): Promise<Result<void, string>>;
  /** Puts the policy unless one of its name is listed. */
  putNew(domain: string, policy: TracingPolicy, change: PolicyChange): Promise<Result<void, string>>;
  /** Puts refused policies again, if others have made room since. */
  retryRefused(): Promise<void>;
  /** Lists a policy that cannot be used; one of the name that is in force stays so. */
  reject(name: PolicyName, error: string): Promise<void>;
  /** Lists a policy that is not for this node, and unloads it. */
  skip(name: PolicyName): Promise<void>;
  remove(name: PolicyName): Promise<Result<void, string>>;
  /** All of the change or nothing. */
  configure(name: PolicyName, change: PolicyChange): Promise<Result<void, string>>;
  find(name: PolicyName): PolicyStatus | undefined;
  /** In the order of their ids; "" stands for all domains. */
  list(domain: string): readonly PolicyStatus[];
  /** Resolves when what was put or removed so far is in force, gone, or failed; `list` has the outcome. */
  settled(): Promise<void>;
  domains(): readonly string[];
}

/** What the store has by itself; `show` adds what the loaders have. */
type Entry = Omit<PolicyStatus, "filterId" | "heldBy">;

/** Of a loaded policy. */
interface LoadedFacts {
  filterId(name: PolicyName): number;
  heldBy(name: PolicyName): string;
}

interface Refused {
  readonly domain: string;
  readonly policy: TracingPolicy;
  readonly change: PolicyChange;
}

export function createPolicyStore(loader: PolicyLoader, facts: LoadedFacts): PolicyStore {
  const entries = new Map<string, Entry>();
  /** The newest version of each policy that was put and refused, by its key. */
  const refused = new Map<string, Refused>();
  const changes = createSequence();
  /** The key of the policy that is being loaded, replaced or configured. */
  let changing: string | undefined;
  /** Policies were unloaded or replaced since refused ones were last put. */
  let hasRoom = false;
  let lastId = 0;

  const get = (name: PolicyName): Result<Entry, string> => {
    const entry = entries.get(toPolicyKey(name));
    if (entry !== undefined) return ok(entry);
    const others = [...entries.values()].flatMap((other) => (other.name === name.name ? render(other) : []));
    const hint = others.length === 0 ? "" : `; policies of this name: ${others.join(", ")}`;
    return err(`tracing policy ${render(name)} does not exist${hint}`);
  };

  const set = (name: PolicyName, fields: Pick<Entry, "state" | "mode" | "error">): void => {
    const key = toPolicyKey(name);
    const id = entries.get(key)?.id ?? ++lastId;
    const { name: ownName, namespace, domain } = name;
    entries.set(key, { name: ownName, namespace, domain, id, ...fields });
  };

  /** The loaded policy stays in force. */
  const keepLoaded = (entry: Entry, error: string): void => {
    entries.set(toPolicyKey(entry), { ...entry, error: `a newer version is not used: ${error}` });
  };

  const unload = (name: PolicyName): void => {
    const entry = entries.get(toPolicyKey(name));
    if (entry === undefined || !isLoaded(entry)) return;
    loader.unload(name);
    hasRoom = refused.size > 0;
  };

  const change = async (
    name: PolicyName,
    work: () => Promise<Result<void, string>>,
  ): Promise<Result<void, string>> => {
    changing = toPolicyKey(name);
    try {
      return await work();
    } finally {
      changing = undefined;
    }
  };

  const load = async (
    name: PolicyName,
    policy: TracingPolicy,
    setting: PolicySetting,
    old: Entry | undefined,
  ): Promise<Result<void, string>> => {
    if (old === undefined || !isLoaded(old)) return await loader.load(name, policy, setting);
    const done = await loader.replace(name, policy, setting);
    if (done.ok) hasRoom = refused.size > 0;
    return done;
  };

  const put = async (
    domain: string,
    policy: TracingPolicy,
    changed: PolicyChange = {},
  ): Promise<Result<void, string>> => {
    if (!isDomain(domain)) return err(`${JSON.stringify(domain)} cannot be the domain of a policy`);
    const name = toPolicyName(domain, policy);
    const key = toPolicyKey(name);
    const old = entries.get(key);
    const written = policyMode(policy);
    const mode = written === "monitor_only" ? written : (changed.mode ?? written);
    const state = changed.enable === false ? "disabled" : "enabled";
    if (old === undefined || !isLoaded(old)) set(name, { state: "loading", mode, error: "" });
    const done = await change(name, () => load(name, policy, toSetting({ state, mode }), old));
    if (done.ok) {
      refused.delete(key);
      set(name, { state, mode, error: "" });
      return done;
    }
    refused.set(key, { domain, policy, change: changed });
    if (old !== undefined && isLoaded(old)) keepLoaded(old, done.error);
    else set(name, { state: "load_error", mode, error: done.error });
    return err(`tracing policy ${render(name)}: ${done.error}`);
  };

  const add = async (domain: string, policy: TracingPolicy): Promise<Result<void, string>> => {
    const name = toPolicyName(domain, policy);
    const old = entries.get(toPolicyKey(name));
    if (old !== undefined && isLoaded(old))
      return err(`tracing policy ${render(name)} exists already: delete it first`);
    const added = await put(domain, policy);
    refused.delete(toPolicyKey(name));
    return added;
  };

  const remove = (name: PolicyName): Result<void, string> => {
    const entry = get(name);
    if (!entry.ok) return entry;
    refused.delete(toPolicyKey(name));
    unload(name);
    entries.delete(toPolicyKey(name));
    return ok(undefined);
  };

  const configure = async (
    name: PolicyName,
    { enable, mode }: PolicyChange,
  ): Promise<Result<void, string>> => {
    const found = get(name);
    if (!found.ok) return found;
    const entry = found.value;
    if (!isLoaded(entry)) {
      const why = entry.state === "skipped" ? "it is not for this node" : entry.error;
      return err(`tracing policy ${render(name)} is not loaded: ${why}`);
    }
    if (mode !== undefined && entry.mode === "monitor_only")
      return err("cannot set policy mode on a policy that is monitor only");
    if (enable !== undefined && enable === (entry.state === "enabled"))
      return err(`tracing policy ${render(name)} is not ${enable ? "disabled" : "enabled"}`);
    const state = enable === undefined ? entry.state : enable ? "enabled" : "disabled";
    const changed = { ...entry, state, mode: mode ?? entry.mode };
    const done = await change(name, () => loader.configure(name, toSetting(changed)));
    if (!done.ok) return err(`tracing policy ${render(name)}: ${done.error}`);
    entries.set(toPolicyKey(name), changed);
    return done;
  };

  const show = (entry: Entry): PolicyStatus => {
    if (!isLoaded(entry)) return { ...entry, filterId: 0, heldBy: "" };
    const status = { ...entry, filterId: facts.filterId(entry), heldBy: facts.heldBy(entry) };
    if (changing === toPolicyKey(entry)) return { ...status, state: "loading" };
    const loadState = loader.state(entry);
    if (loadState.kind === "failed") return { ...status, state: "load_error", error: loadState.error };
    return loadState.kind === "loading" ? { ...status, state: "loading" } : status;
  };

  return {
    put: (domain, policy, changed) => changes.run(() => put(domain, policy, changed)),
    putNew: (domain, policy, changed) =>
      changes.run(() =>
        entries.has(toPolicyKey(toPolicyName(domain, policy))) ? ok(undefined) : put(domain, policy, changed),
      ),
    add: (domain, policy) => changes.run(() => add(domain, policy)),
    retryRefused: () =>
      changes.run(async () => {
        if (!hasRoom) return;
        hasRoom = false;
        for (const one of [...refused.values()]) await put(one.domain, one.policy, one.change);
      }),
    reject: (name, error) =>
      changes.run(() => {
        refused.delete(toPolicyKey(name));
        const old = entries.get(toPolicyKey(name));
        if (old !== undefined && isLoaded(old)) keepLoaded(old, error);
        else set(name, { state: "load_error", mode: "unknown", error });
      }),
    skip: (name) =>
      changes.run(() => {
        refused.delete(toPolicyKey(name));
        unload(name);
        const mode = entries.get(toPolicyKey(name))?.mode ?? "unknown";
        set(name, { state: "skipped", mode, error: "" });
      }),
    remove: (name) => changes.run(() => remove(name)),
    configure: (name, changed) => changes.run(() => configure(name, changed)),
    find(name) {
      const entry = entries.get(toPolicyKey(name));
      return entry && show(entry);
    },
    list: (domain) =>
      [...entries.values()]
        .filter((entry) => domain === "" || entry.domain === domain)
        .toSorted((one, other) => one.id - other.id)
        .map(show),
    async settled() {
      await changes.ended();
      await loader.settled();
    },
    domains: () =>
      [...new Set([...builtInDomains, ...[...entries.values()].map(({ domain }) => domain)])].toSorted(),
  };
}

const toSetting = ({ state, mode }: Pick<Entry, "state" | "mode">): PolicySetting => ({
  isEnabled: state !== "disabled",
  enforces: mode !== "monitor",
});

const isLoaded = ({ state }: Entry): boolean => state === "enabled" || state === "disabled";

const render = ({ namespace, name, domain }: PolicyName): string =>
  `${JSON.stringify(namespace === "" ? name : `${namespace}/${name}`)} (domain ${domain})`;
