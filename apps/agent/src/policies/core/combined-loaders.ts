// SPDX-License-Identifier: Apache-2.0

import type { TracingPolicy } from "@rthooks/policy";
import { ok, type Result } from "@rthooks/result";
import type { PolicySetting } from "../../enforcement/core/policy-setting.ts";
import { type PolicyName, toPolicyKey } from "../../filter/core/filter-key.ts";
import type { LoadState, PartLoader, PolicyLoader } from "./policy-loader.ts";

interface Loaded {
  readonly policy: TracingPolicy;
  readonly setting: PolicySetting;
}

/**
 * Several loaders as one. First all are prepared, then they are called in their order, in one turn; they are unloaded in
 * reverse. The first loader that refuses a policy decides, and the ones before it are set back to what they had, without
 * being prepared for it; an error of setting back shows in `state`. The state is that of the first loader that has failed,
 * else loading where one is loading.
 */
export function combineLoaders(loaders: readonly PartLoader[]): PolicyLoader {
  /** The loaded policies with their settings, for setting back. */
  const loaded = new Map<string, Loaded>();

  const prepare = async (name: PolicyName, { policy, setting }: Loaded): Promise<Result<void, string>> => {
    for (const loader of loaders) {
      const prepared = await loader.prepare(name, policy, setting);
      if (!prepared.ok) return prepared;
    }
    return ok(undefined);
  };

  const applyAll = (
    change: (loader: PartLoader) => Result<void, string>,
    setBack: (loader: PartLoader) => void,
  ): Result<void, string> => {
    for (const [at, loader] of loaders.entries()) {
      const done = change(loader);
      if (done.ok) continue;
      for (const earlier of loaders.slice(0, at).toReversed()) setBack(earlier);
      return done;
    }
    return ok(undefined);
  };

  const apply = async (
    name: PolicyName,
    next: Loaded,
    change: (loader: PartLoader) => Result<void, string>,
    setBack: (loader: PartLoader) => void,
  ): Promise<Result<void, string>> => {
    try {
      const prepared = await prepare(name, next);
      const done = prepared.ok ? applyAll(change, setBack) : prepared;
      if (done.ok) loaded.set(toPolicyKey(name), next);
      return done;
    } finally {
      for (const loader of loaders) loader.conclude(name);
    }
  };

  return {
    load: (name, policy, setting) =>
      apply(
        name,
        { policy, setting },
        (loader) => loader.load(name, policy, setting),
        (loader) => loader.unload(name),
      ),
    replace(name, policy, setting) {
      const before = loaded.get(toPolicyKey(name));
      return apply(
        name,
        { policy, setting },
        (loader) => loader.replace(name, policy, setting),
        (loader) => void (before !== undefined && loader.replace(name, before.policy, before.setting)),
      );
    },
    async configure(name, setting) {
      const before = loaded.get(toPolicyKey(name));
      if (before === undefined) return ok(undefined);
      return await apply(
        name,
        { ...before, setting },
        (loader) => loader.configure(name, setting),
        (loader) => void loader.configure(name, before.setting),
      );
    },
    unload(name) {
      loaded.delete(toPolicyKey(name));
      for (const loader of loaders.toReversed()) loader.unload(name);
    },
    state(name): LoadState {
      const states = loaders.map((loader) => loader.state(name));
      return (
        states.find(({ kind }) => kind === "failed") ??
        states.find(({ kind }) => kind === "loading") ?? { kind: "in-force" }
      );
    },
    async settled() {
      await Promise.all(loaders.map((loader) => loader.settled()));
    },
  };
}
