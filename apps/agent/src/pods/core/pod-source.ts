// SPDX-License-Identifier: Apache-2.0
// The port through which the agent learns about pods: from the API server or from a pods file.

import type { Pod } from "@rthooks/kube";

export interface PodQuery {
  readonly uid: string | undefined;
  readonly namespace: string;
  readonly name: string;
}

export type PodChange =
  | { readonly kind: "changed"; readonly pod: Pod }
  /** Only its list of containers, what it says of them, or its workload differs. */
  | { readonly kind: "containers"; readonly pod: Pod }
  /** The last list lacks it, and no DELETED event came: its containers may still run. */
  | { readonly kind: "unlisted"; readonly pod: Pod }
  | { readonly kind: "deleted"; readonly pod: Pod };

export interface PodSource {
  /** False where it never has a pod: then the runtime's labels are complete. */
  readonly hasPods: boolean;
  /** By UID where there is one, else by namespace and name. */
  find(query: PodQuery): Pod | undefined;
  list(): Iterable<Pod>;
  /** Calls `listener` for each pod that appears, changes or disappears; returns the function that unsubscribes. */
  subscribe(listener: (change: PodChange) => void): () => void;
}

/** Has no pods: they are known from hook calls only. */
export const withoutPods: PodSource = {
  hasPods: false,
  find: () => undefined,
  list: () => [],
  subscribe: () => () => {},
};
