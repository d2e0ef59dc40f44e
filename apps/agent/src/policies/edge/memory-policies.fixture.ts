// SPDX-License-Identifier: Apache-2.0
// Policies without a kernel: every filter is in force at once, with id 2.

import { ok } from "@rthooks/result";
import { combineLoaders } from "../core/combined-loaders.ts";
import { createFilterLoader } from "../core/filter-loader.ts";
import { noPolicyArchive } from "../core/policy-archive.ts";
import { createPolicyCommands, type PolicyCommands } from "../core/policy-commands.ts";
import type { PartLoader } from "../core/policy-loader.ts";
import { createPolicyStore, type PolicyStore } from "../core/policy-store.ts";
import { parsePolicyText } from "./policy-text.ts";

/** `prepare`: what each policy waits for. */
export function createMemoryPolicies(prepare = (): Promise<void> => Promise.resolve()): PolicyStore {
  const loader = createFilterLoader({
    putFilter: () => ok(2),
    removeFilter: () => {},
    status: () => ({ kind: "in-force" }),
    settled: () => Promise.resolve(),
  });
  const part: PartLoader = {
    ...loader,
    async prepare() {
      await prepare();
      return ok(undefined);
    },
  };
  return createPolicyStore(combineLoaders([part]), { ...loader, heldBy: () => "" });
}

export function createMemoryCommands(policies: PolicyStore): PolicyCommands {
  const silent = (): void => {};
  return createPolicyCommands({
    policies,
    archive: noPolicyArchive,
    parser: { parsePolicy: async (yaml) => parsePolicyText(String(yaml)) },
    log: { debug: silent, info: silent, warn: silent, error: silent },
  });
}
