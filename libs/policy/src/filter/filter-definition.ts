// SPDX-License-Identifier: Apache-2.0
// Which containers a policy is about, of what Kubernetes and the runtime say of them.

import {
  type LabelSelector,
  type Labels,
  matchAll,
  matchesSelector,
  selectsEverything,
} from "../label-selector.ts";

/** A selector that is missing matches nothing. */
export interface FilterDefinition {
  /** Of a namespaced policy. */
  readonly namespace: string | undefined;
  readonly podSelector: LabelSelector | undefined;
  /** Sees the labels `name` and `repo`. */
  readonly containerSelector: LabelSelector | undefined;
  /** Also what runs outside of all pods. */
  readonly hostSelector: boolean;
}

export interface FilterContainer {
  readonly containerId: string;
  /** Its own, and those below it. */
  readonly cgroupIds: readonly bigint[];
  readonly pod: FilterPod | undefined;
  readonly name: string;
  /** The image without tag and digest. */
  readonly repo: string;
}

export interface FilterPod {
  readonly uid: string;
  readonly namespace: string;
  readonly labels: Labels;
}

/** Of the entry that holds every container of every pod. */
export const ALL_PODS_ID = 1;
/** In a policy's map: the policy is for the host too. */
export const HOST_MARKER = 0xffff_ffff_ffff_ffffn;
/** Pods have it as a label for policies' selectors. */
export const NAMESPACE_LABEL = "k8s:io.kubernetes.pod.namespace";

export const allPods: FilterDefinition = {
  namespace: undefined,
  podSelector: matchAll,
  containerSelector: matchAll,
  hostSelector: false,
};

/** Those that differ in the order of their labels alone may count as different. */
export const isSameDefinition = (one: FilterDefinition, other: FilterDefinition): boolean =>
  toText(one) === toText(other);

const toText = ({ namespace, podSelector, containerSelector, hostSelector }: FilterDefinition): string =>
  JSON.stringify([namespace, podSelector, containerSelector, hostSelector], (_, value: unknown) =>
    value instanceof Map ? [...value] : value,
  );

/** `podLabels`: with the namespace as one of them. */
export function isFiltered(
  definition: FilterDefinition,
  { pod, name, repo }: FilterContainer,
  podLabels: Labels,
): boolean {
  const { namespace, podSelector, containerSelector } = definition;
  if (pod === undefined || podSelector === undefined || containerSelector === undefined) return false;
  if (namespace !== undefined && namespace !== pod.namespace) return false;
  if (!matchesSelector(podSelector, podLabels)) return false;
  if (selectsEverything(containerSelector)) return true;
  return matchesSelector(
    containerSelector,
    new Map([
      ["name", name],
      ["repo", repo],
    ]),
  );
}
