// SPDX-License-Identifier: Apache-2.0

import type { ContainerRecord } from "../../containers/core/container-record.ts";

/** Empty lists select everything. */
export interface ChangeSelection {
  readonly namespaces: readonly string[];
  readonly pods: readonly string[];
  /** The states to which containers change. */
  readonly states: readonly string[];
}

/** `to`: the state to which the container changed, or in which it is on record. */
export type ChangeFilter = (container: ContainerRecord, to: string) => boolean;

export function createChangeFilter({ namespaces, pods, states }: ChangeSelection): ChangeFilter {
  const has = (names: readonly string[]): ((name: string) => boolean) => {
    const set = new Set(names);
    return (name) => set.size === 0 || set.has(name);
  };
  const [hasNamespace, hasPod, hasState] = [has(namespaces), has(pods), has(states)];
  return ({ podNamespace, podName }, to) => hasState(to) && hasNamespace(podNamespace) && hasPod(podName);
}
