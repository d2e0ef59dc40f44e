// SPDX-License-Identifier: Apache-2.0
// The filters of a policy: its own and those of its selectors, with the defaults of the reference.

import type { Filter } from "../filter/filter.ts";
import { type LabelSelector, matchAll, selectsEverything } from "../label-selector.ts";
import { hookKinds } from "./references.ts";
import type { TracingPolicy } from "./tracing-policy.ts";

/** Of one selector with `matchWorkloads`. */
export interface SelectorFilter {
  readonly hooks: (typeof hookKinds)[number];
  readonly hookIndex: number;
  readonly selectorIndex: number;
  /** Undefined: the selector matches every process. */
  readonly filter: Filter | undefined;
}

interface Selectors {
  readonly podSelector: LabelSelector | undefined;
  readonly containerSelector: LabelSelector | undefined;
  readonly hostSelector: boolean;
}

/** Undefined: the policy matches every process, also on the host, and needs no filter. */
export const toFilter = ({ spec, namespace }: TracingPolicy): Filter | undefined =>
  fromSelectors(spec, namespace);

/** The `matchWorkloads` in the order of the document. They apply to all namespaces, also in a namespaced policy. */
export const listMatchWorkloads = ({ spec }: TracingPolicy): readonly SelectorFilter[] =>
  hookKinds.flatMap((hooks) =>
    spec[hooks].flatMap(({ selectors }, hookIndex) =>
      selectors.flatMap(({ matchWorkloads }, selectorIndex) =>
        matchWorkloads === undefined
          ? []
          : [{ hooks, hookIndex, selectorIndex, filter: fromSelectors(matchWorkloads, undefined) }],
      ),
    ),
  );

/**
 * Without a pod selector a container selector applies to all pods, and the reverse. No selector, or three empty ones, match
 * every process of the cluster and need no filter; in a namespace they match every container of that namespace.
 */
function fromSelectors(written: Selectors, namespace: string | undefined): Filter | undefined {
  const { hostSelector } = written;
  const selectsPods =
    written.podSelector !== undefined || written.containerSelector !== undefined || namespace !== undefined;
  if (!selectsPods) {
    if (!hostSelector) return undefined;
    return { namespace, podSelector: undefined, containerSelector: undefined, hostSelector };
  }
  const podSelector = written.podSelector ?? matchAll;
  const containerSelector = written.containerSelector ?? matchAll;
  const isEverything =
    namespace === undefined &&
    hostSelector &&
    selectsEverything(podSelector) &&
    selectsEverything(containerSelector);
  return isEverything ? undefined : { namespace, podSelector, containerSelector, hostSelector };
}
