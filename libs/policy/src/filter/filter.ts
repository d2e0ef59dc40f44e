// SPDX-License-Identifier: Apache-2.0
// A filter and how it matches a container.

import type { Labels } from "@rthooks/oci";
import { type LabelSelector, matchAll, matchesSelector, selectsEverything } from "../label-selector.ts";
import { type FilteredContainer, hasPod } from "./filtered-container.ts";
import { toRepository } from "./repository.ts";

/** An undefined selector matches nothing. */
export interface Filter {
  /** Of a namespaced policy. */
  readonly namespace: string | undefined;
  readonly podSelector: LabelSelector | undefined;
  /** Sees the labels `name` (of the container) and `repo` (of the image). */
  readonly containerSelector: LabelSelector | undefined;
  /** Also matches processes outside of all pods. */
  readonly hostSelector: boolean;
}

/** The id of the filter that matches every container of every pod. */
export const ALL_PODS_ID = 1;
/** Stands for the host among the cgroup ids of a filter. */
export const HOST_MARKER = 0xffff_ffff_ffff_ffffn;
/** Policies see a pod's namespace as this label. */
export const NAMESPACE_LABEL = "k8s:io.kubernetes.pod.namespace";

export const allPods: Filter = {
  namespace: undefined,
  podSelector: matchAll,
  containerSelector: matchAll,
  hostSelector: false,
};

/** Filters that differ only in the order of their labels may compare as different. */
export const isSameFilter = (one: Filter, other: Filter): boolean => toText(one) === toText(other);

const toText = ({ namespace, podSelector, containerSelector, hostSelector }: Filter): string =>
  JSON.stringify([namespace, podSelector, containerSelector, hostSelector], (_, value: unknown) =>
    value instanceof Map ? [...value] : value,
  );

/** `podLabels`: the pod's labels and its namespace as `NAMESPACE_LABEL`. */
export function matchesFilter(filter: Filter, container: FilteredContainer, podLabels: Labels): boolean {
  const { namespace, podSelector, containerSelector } = filter;
  if (!hasPod(container) || podSelector === undefined || containerSelector === undefined) return false;
  if (namespace !== undefined && namespace !== container.namespace) return false;
  if (!matchesSelector(podSelector, podLabels)) return false;
  if (selectsEverything(containerSelector)) return true;
  return matchesSelector(
    containerSelector,
    new Map([
      ["name", container.containerName],
      ["repo", toRepository(container.image)],
    ]),
  );
}
