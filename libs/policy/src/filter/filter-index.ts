// SPDX-License-Identifier: Apache-2.0
// Finds filters by a pod's labels, and containers by a filter, without a search of all of them.

import type { Labels } from "@rthooks/oci";
import { findAnchor } from "../label-selector.ts";
import { type Filter, NAMESPACE_LABEL } from "./filter.ts";
import { createLabelIndex, findCandidates, type LabelIndex } from "./label-index.ts";

export interface FilterIndex {
  add(filterId: number, filter: Filter): void;
  /** `filter`: the one that was added under the id. */
  remove(filterId: number, filter: Filter): void;
  /** All filters that may match a pod with these labels; an id may occur twice. */
  candidates(podLabels: Labels): Iterable<number>;
}

export function createFilterIndex(): FilterIndex {
  const byLabel = createLabelIndex<number>();
  /** Filters that need no particular label. */
  const unanchored = new Set<number>();
  return {
    add(filterId, filter) {
      const anchors = anchorsOf(filter);
      if (anchors.length === 0) unanchored.add(filterId);
      for (const [key, value] of anchors) byLabel.add(key, value, filterId);
    },
    remove(filterId, filter) {
      unanchored.delete(filterId);
      for (const [key, value] of anchorsOf(filter)) byLabel.remove(key, value, filterId);
    },
    *candidates(podLabels) {
      yield* unanchored;
      for (const [key, value] of podLabels) yield* byLabel.find(key, value);
    },
  };
}

/** Labels of which a pod must have one for the filter to match. */
function anchorsOf({ namespace, podSelector }: Filter): readonly (readonly [string, string])[] {
  const anchor = podSelector === undefined ? undefined : findAnchor(podSelector);
  if (anchor !== undefined) return anchor.values.map((value) => [anchor.key, value]);
  return namespace === undefined ? [] : [[NAMESPACE_LABEL, namespace]];
}

/** The members of the index that the filter may match; undefined where it may match all of them. */
export function findByFilter<T>(
  index: LabelIndex<T>,
  { podSelector, namespace }: Filter,
): Iterable<T> | undefined {
  if (podSelector === undefined) return [];
  const byLabels = findCandidates(index, podSelector);
  const byNamespace = namespace === undefined ? undefined : index.find(NAMESPACE_LABEL, namespace);
  if (byLabels !== undefined && (byNamespace === undefined || byLabels.size < byNamespace.size))
    return byLabels;
  return byNamespace;
}
