// SPDX-License-Identifier: Apache-2.0
// In words: what a filter asks of a container and the container does not meet.

import type { Labels } from "@rthooks/oci";
import { findUnmetRequirement, type LabelRequirement, type LabelSelector } from "../label-selector.ts";
import { type Filter, findFailedCheck, toContainerLabels, toPodLabels } from "./filter.ts";
import type { FilteredContainer } from "./filtered-container.ts";

export interface UnmetTerm {
  /** What the filter asks for: "pod label app in (db, web)", "namespace is production". */
  readonly term: string;
  /** What the container has instead: "app=cache", "the pod has no label app". */
  readonly found: string;
}

/** The first term of the filter that the container does not meet; undefined where the filter matches. */
export function findUnmetTerm(filter: Filter, container: FilteredContainer): UnmetTerm | undefined {
  const podLabels = toPodLabels(container);
  switch (findFailedCheck(filter, container, podLabels)) {
    case undefined:
      return undefined;
    case "pod":
      return { term: "the container belongs to a pod", found: describePodless(filter) };
    case "selectors":
      return { term: "a process outside of all pods", found: "a container of a pod" };
    case "namespace":
      return { term: `namespace is ${filter.namespace}`, found: showValue(container.namespace) };
    case "podSelector":
      return describeSelector(filter.podSelector, podLabels, {
        label: (key) => `pod label ${key}`,
        has: (key) => `the pod has the label ${key}`,
        hasNot: (key) => `the pod has no label ${key}`,
        found: (key, value) => `${key}=${value}`,
        missing: (key) =>
          container.hasAllLabels
            ? `the pod has no label ${key}`
            : `the pod has no label ${key}, as far as its labels are known`,
      });
    case "containerSelector":
      return describeSelector(filter.containerSelector, toContainerLabels(container), {
        label: toContainerTerm,
        has: (key) => `the container has a ${toContainerTerm(key)}`,
        hasNot: (key) => `the container has no ${toContainerTerm(key)}`,
        found: (_, value) => showValue(value),
        missing: (key) => `the container has no ${toContainerTerm(key)}`,
      });
  }
}

/** BPF programs see its processes as those of the host: no cgroup of it is in a filter. */
const describePodless = ({ hostSelector }: Filter): string =>
  hostSelector ? "it belongs to no pod, and counts as a process of the host" : "it belongs to no pod";

/** How one kind of labels reads. */
interface LabelWords {
  label(key: string): string;
  has(key: string): string;
  hasNot(key: string): string;
  found(key: string, value: string): string;
  missing(key: string): string;
}

function describeSelector(
  selector: LabelSelector | undefined,
  labels: Labels,
  words: LabelWords,
): UnmetTerm | undefined {
  const unmet = selector && findUnmetRequirement(selector, labels);
  if (unmet === undefined) return undefined;
  const key = typeof unmet === "string" ? unmet : unmet.key;
  const value = labels.get(key);
  return {
    term:
      typeof unmet === "string"
        ? `${words.label(key)} is ${showValue(selector?.matchLabels.get(key) ?? "")}`
        : describeRequirement(unmet, words),
    found: value === undefined ? words.missing(key) : words.found(key, value),
  };
}

function describeRequirement(requirement: LabelRequirement, words: LabelWords): string {
  const { key } = requirement;
  switch (requirement.operator) {
    case "In":
      return `${words.label(key)} in (${showValues(requirement.values)})`;
    case "NotIn":
      return `${words.label(key)} not in (${showValues(requirement.values)})`;
    case "Exists":
      return words.has(key);
    case "DoesNotExist":
      return words.hasNot(key);
  }
}

/** `containerSelector` knows two labels. */
function toContainerTerm(key: string): string {
  if (key === "name") return "container name";
  return key === "repo" ? "image repository" : `container label ${key}`;
}

const showValue = (value: string): string => (value === "" ? '""' : value);

/** A list of a policy may have thousands of values. */
const MAX_VALUES = 10;

function showValues(values: readonly string[]): string {
  const shown = values.slice(0, MAX_VALUES).map(showValue);
  const rest = values.length - shown.length;
  return [...shown, ...(rest === 0 ? [] : [`and ${rest} more`])].join(", ");
}
