// SPDX-License-Identifier: Apache-2.0
// Who tells the agent about pods. The seam for the Kubernetes API.

import type { Labels } from "@rthooks/machines/pod";

export interface Pod {
  readonly uid: string;
  /** The hash by which the kubelet runs a static pod; its mirror in the API has a UID of its own. */
  readonly staticPodHash: string | undefined;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  /** Those that run, as far as the source has heard: it may be late, and it forgets those that have ended. */
  readonly containers: readonly PodContainer[];
}

interface PodContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
}

export interface PodQuery {
  readonly uid: string | undefined;
  readonly namespace: string;
  readonly name: string;
}

export type PodChange =
  | { readonly kind: "changed"; readonly pod: Pod }
  /** Only of its containers is something else said than before. */
  | { readonly kind: "containers"; readonly pod: Pod }
  /** The last list lacks it, and no DELETED event came: its containers may still run. */
  | { readonly kind: "unlisted"; readonly pod: Pod }
  | { readonly kind: "deleted"; readonly pod: Pod };

export interface PodSource {
  /** False where it never has a pod: then the labels from the runtime are the best there are. */
  readonly hasPods: boolean;
  /** By UID where there is one, else by namespace and name. */
  find(query: PodQuery): Pod | undefined;
  list(): Iterable<Pod>;
  /** Called for each pod that appears, changes or disappears from now on; gives the function that ends it. */
  subscribe(listener: (change: PodChange) => void): () => void;
}

/** Nobody but the hook tells of pods. */
export const annotationsOnly: PodSource = {
  hasPods: false,
  find: () => undefined,
  list: () => [],
  subscribe: () => () => {},
};
