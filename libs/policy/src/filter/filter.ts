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

/** What a filter asks of a container, in the order in which it is checked. */
export type FilterCheck =
  /** The container belongs to a pod. */
  | "pod"
  /** The filter has a pod selector and a container selector: it is not about the host alone. */
  | "selectors"
  | "namespace"
  | "podSelector"
  | "containerSelector";

/** `podLabels`: of the container, by `toPodLabels`. */
export const matchesFilter = (filter: Filter, container: FilteredContainer, podLabels: Labels): boolean =>
  findFailedCheck(filter, container, podLabels) === undefined;

/** Undefined where the filter matches. `podLabels`: of the container, by `toPodLabels`. */
export function findFailedCheck(
  { namespace, podSelector, containerSelector }: Filter,
  container: FilteredContainer,
  podLabels: Labels,
): FilterCheck | undefined {
  if (!hasPod(container)) return "pod";
  if (podSelector === undefined || containerSelector === undefined) return "selectors";
  if (namespace !== undefined && namespace !== container.namespace) return "namespace";
  if (!matchesSelector(podSelector, podLabels)) return "podSelector";
  if (selectsEverything(containerSelector)) return undefined;
  return matchesSelector(containerSelector, toContainerLabels(container)) ? undefined : "containerSelector";
}

/** What a pod selector sees: the pod's labels and its namespace. */
export const toPodLabels = (container: FilteredContainer): Labels =>
  hasPod(container) ? new Map(container.labels).set(NAMESPACE_LABEL, container.namespace) : noLabels;

/** What a container selector sees. */
export const toContainerLabels = ({ containerName, image }: FilteredContainer): Labels =>
  new Map([
    ["name", containerName],
    ["repo", toRepository(image)],
  ]);

const noLabels: Labels = new Map();
