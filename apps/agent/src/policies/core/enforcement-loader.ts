// SPDX-License-Identifier: Apache-2.0
// The part loader for rules: each selector of a policy's hooks becomes a rule in the kernel.

import type { Enforcement } from "../../enforcement/core/enforcement.ts";
import { type PolicyName, toPolicyKey } from "../../filter/core/filter-key.ts";
import type { PartLoader } from "./policy-loader.ts";

export function createEnforcementLoader({ policies }: Pick<Enforcement, "policies">): PartLoader {
  return {
    prepare: (name, policy, setting) => policies.prepare(toPolicyKey(name), policy, setting),
    conclude: (name) => policies.conclude(toPolicyKey(name)),
    load: (name, policy, setting) => policies.put(toPolicyKey(name), policy, setting),
    replace: (name, policy, setting) => policies.put(toPolicyKey(name), policy, setting),
    configure: (name, setting) => policies.configure(toPolicyKey(name), setting),
    unload: (name) => policies.remove(toPolicyKey(name)),
    state(name: PolicyName) {
      const error = policies.errorOf(toPolicyKey(name));
      return error === "" ? { kind: "in-force" } : { kind: "failed", error };
    },
    settled: policies.settled,
  };
}
