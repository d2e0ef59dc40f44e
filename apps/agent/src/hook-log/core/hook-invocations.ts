// SPDX-License-Identifier: Apache-2.0
// The last invocations of the hook, from its log: one for each container.

import type { HookInvocation } from "@rthooks/explain";

export interface HookInvocations {
  /** The last one of this container. */
  find(containerId: string): HookInvocation | undefined;
  /** The newest last. */
  list(): Iterable<HookInvocation>;
}

export interface HookInvocationStore extends HookInvocations {
  add(invocation: HookInvocation): void;
}

/** Of one node there are some hundred containers. */
const MAX_CONTAINERS = 2000;

export const noHookInvocations: HookInvocations = { find: () => undefined, list: () => [] };

export function createHookInvocations(): HookInvocationStore {
  const byContainer = new Map<string, HookInvocation>();
  return {
    add(invocation) {
      const { containerId } = invocation;
      byContainer.delete(containerId);
      if (containerId !== "") byContainer.set(containerId, invocation);
      for (const oldest of byContainer.keys()) {
        if (byContainer.size <= MAX_CONTAINERS) break;
        byContainer.delete(oldest);
      }
    },
    find: (containerId) => byContainer.get(containerId),
    list: () => byContainer.values(),
  };
}
