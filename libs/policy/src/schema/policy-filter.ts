// SPDX-License-Identifier: Apache-2.0
// Which workloads a policy, or one selector of it, is about, with the defaults of the reference put in.

import type { FilterDefinition } from "../filter/filter-definition.ts";
import { type LabelSelector, matchAll, selectsEverything } from "../label-selector.ts";
import { hookKinds } from "./references.ts";
import type { TracingPolicy } from "./tracing-policy.ts";

export type PolicyFilter =
  /** Every process, also of the host: no id is needed. */
  { readonly kind: "none" } | ({ readonly kind: "filter" } & FilterDefinition);

export interface WorkloadFilter {
  readonly hooks: (typeof hookKinds)[number];
  readonly hookIndex: number;
  readonly selectorIndex: number;
  readonly filter: PolicyFilter;
}

interface Written {
  readonly podSelector: LabelSelector | undefined;
  readonly containerSelector: LabelSelector | undefined;
  readonly hostSelector: boolean;
}

export const toPolicyFilter = ({ spec, namespace }: TracingPolicy): PolicyFilter => toFilter(spec, namespace);

/** The `matchWorkloads` in the order of the document. They are of no namespace, whatever the kind of the policy. */
export const listMatchWorkloads = ({ spec }: TracingPolicy): readonly WorkloadFilter[] =>
  hookKinds.flatMap((hooks) =>
    spec[hooks].flatMap(({ selectors }, hookIndex) =>
      selectors.flatMap(({ matchWorkloads }, selectorIndex) =>
        matchWorkloads === undefined
          ? []
          : [{ hooks, hookIndex, selectorIndex, filter: toFilter(matchWorkloads, undefined) }],
      ),
    ),
  );

/**
 * One of pods and containers written means all of the other. Nothing written, or all three empty, is everything in the
 * cluster and no filter; in a namespace it is every container of that namespace.
 */
function toFilter(written: Written, namespace: string | undefined): PolicyFilter {
  const { hostSelector } = written;
  const isAboutPods =
    written.podSelector !== undefined || written.containerSelector !== undefined || namespace !== undefined;
  if (!isAboutPods) {
    if (!hostSelector) return { kind: "none" };
    return { kind: "filter", namespace, podSelector: undefined, containerSelector: undefined, hostSelector };
  }
  const podSelector = written.podSelector ?? matchAll;
  const containerSelector = written.containerSelector ?? matchAll;
  const isEverything =
    namespace === undefined &&
    hostSelector &&
    selectsEverything(podSelector) &&
    selectsEverything(containerSelector);
  return isEverything
    ? { kind: "none" }
    : { kind: "filter", namespace, podSelector, containerSelector, hostSelector };
}
