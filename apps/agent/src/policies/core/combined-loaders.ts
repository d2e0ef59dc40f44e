// SPDX-License-Identifier: Apache-2.0

import type { TracingPolicy } from "@rthooks/policy";
import { ok, type Result } from "@rthooks/result";
import type { PolicySetting } from "../../enforcement/core/policy-setting.ts";
import { type PolicyName, toPolicyKey } from "../../filter/core/filter-key.ts";
import type { LoadState, PolicyLoader } from "./policy-loader.ts";

interface Loaded {
  readonly policy: TracingPolicy;
  readonly setting: PolicySetting;
}

/**
 * Several loaders as one. They are called in their order, and unloaded in reverse. The first loader that refuses a policy
 * decides, and the ones before it are set back to what they had; an error of setting back shows in `state`. The state is
 * that of the first loader that has failed, else loading where one is loading.
 */
export function combineLoaders(loaders: readonly PolicyLoader[]): PolicyLoader {
  /** The loaded policies with their settings, for setting back. */
  const loaded = new Map<string, Loaded>();

  const apply = (
    change: (loader: PolicyLoader) => Result<void, string>,
    setBack: (loader: PolicyLoader) => void,
  ): Result<void, string> => {
    for (const [at, loader] of loaders.entries()) {
      const done = change(loader);
      if (done.ok) continue;
      for (const earlier of loaders.slice(0, at).toReversed()) setBack(earlier);
      return done;
    }
    return ok(undefined);
  };

  const set = (name: PolicyName, next: Loaded, done: Result<void, string>): Result<void, string> => {
    if (done.ok) loaded.set(toPolicyKey(name), next);
    return done;
  };

  return {
    load: (name, policy, setting) =>
      set(
        name,
        { policy, setting },
        apply(
          (loader) => loader.load(name, policy, setting),
          (loader) => loader.unload(name),
        ),
      ),
    replace(name, policy, setting) {
      const before = loaded.get(toPolicyKey(name));
      return set(
        name,
        { policy, setting },
        apply(
          (loader) => loader.replace(name, policy, setting),
          (loader) => void (before !== undefined && loader.replace(name, before.policy, before.setting)),
        ),
      );
    },
    configure(name, setting) {
      const before = loaded.get(toPolicyKey(name));
      if (before === undefined) return ok(undefined);
      return set(
        name,
        { ...before, setting },
        apply(
          (loader) => loader.configure(name, setting),
          (loader) => void loader.configure(name, before.setting),
        ),
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
