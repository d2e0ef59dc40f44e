// SPDX-License-Identifier: Apache-2.0

import type { TracingPolicy } from "@rthooks/policy";
import { ok, type Result } from "@rthooks/result";
import { type PolicyName, toPolicyKey } from "../../filter/core/filter-key.ts";
import type { LoadState, PolicyLoader } from "./policy-loader.ts";

/**
 * Several loaders as one. They are called in their order, and unloaded in reverse. The first loader that refuses a policy
 * decides, and the ones before it are set back to what they had; an error of setting back shows in `state`. The state is
 * that of the first loader that has failed, else loading where one is loading.
 */
export function combineLoaders(loaders: readonly PolicyLoader[]): PolicyLoader {
  /** The loaded policies, for setting back. */
  const loaded = new Map<string, TracingPolicy>();

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

  const set = (name: PolicyName, policy: TracingPolicy, done: Result<void, string>): Result<void, string> => {
    if (done.ok) loaded.set(toPolicyKey(name), policy);
    return done;
  };

  return {
    load: (name, policy) =>
      set(
        name,
        policy,
        apply(
          (loader) => loader.load(name, policy),
          (loader) => loader.unload(name),
        ),
      ),
    replace(name, policy) {
      const before = loaded.get(toPolicyKey(name));
      return set(
        name,
        policy,
        apply(
          (loader) => loader.replace(name, policy),
          (loader) => void (before !== undefined && loader.replace(name, before)),
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
