// SPDX-License-Identifier: Apache-2.0
// Gives each container of the lifecycle to the policy filter and to the enforcement: to both or to neither.

import { ok, type Result } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";
import type { EnforcedContainers } from "../../enforcement/core/enforced-containers.ts";
import type { PlacedContainer } from "../../enforcement/core/rule-members.ts";
import type { PolicyFilter } from "../../filter/core/policy-filter.ts";

export interface ContainerPolicies extends Pick<PolicyFilter, "remove" | "updatePod"> {
  /**
   * Replaces the container with the same id. One that does not run yet and does not fit into a map is refused, and is then
   * in no map.
   */
  add(container: PlacedContainer): Result<void, Refusal>;
}

export function createContainerPolicies(
  filter: ContainerPolicies,
  enforcement: Pick<EnforcedContainers, "add" | "remove" | "updatePod">,
): ContainerPolicies {
  const remove = (containerId: string): void => {
    enforcement.remove(containerId);
    filter.remove(containerId);
  };
  return {
    add(container) {
      for (const part of [filter, enforcement]) {
        const added = part.add(container);
        if (added.ok) continue;
        remove(container.containerId);
        return added;
      }
      return ok(undefined);
    },
    remove,
    updatePod(update) {
      filter.updatePod(update);
      enforcement.updatePod(update);
    },
  };
}
