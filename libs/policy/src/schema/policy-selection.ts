// SPDX-License-Identifier: Apache-2.0
// Whether a policy is about a container, and if not, why: its own filter first, then those of its selectors.

import type { FilteredContainer } from "../filter/filtered-container.ts";
import { findUnmetTerm, type UnmetTerm } from "../filter/unmet-term.ts";
import { listMatchWorkloads, toFilter } from "./policy-filters.ts";
import { hookKinds } from "./references.ts";
import type { TracingPolicy } from "./tracing-policy.ts";

/** Of one selector with `matchWorkloads`. */
export interface SelectorSelection {
  /** "kprobes[0].selectors[1]" */
  readonly selector: string;
  /** Undefined: the selector matches the container's processes, as far as workloads are concerned. */
  readonly unmet: UnmetTerm | undefined;
}

export interface PolicySelection {
  /**
   * Undefined: the policy selects the container. It does so if its own filter matches, and a hook of it has a selector that
   * does, or one without `matchWorkloads`, or no selector.
   */
  readonly unmet: UnmetTerm | undefined;
  /** In the order of the document. */
  readonly selectors: readonly SelectorSelection[];
}

export function findSelection(policy: TracingPolicy, container: FilteredContainer): PolicySelection {
  const own = toFilter(policy);
  const selectors = listMatchWorkloads(policy).map(({ hooks, hookIndex, selectorIndex, filter }) => ({
    selector: `${hooks}[${hookIndex}].selectors[${selectorIndex}]`,
    unmet: filter && findUnmetTerm(filter, container),
  }));
  const unmet = own && findUnmetTerm(own, container);
  if (unmet !== undefined) return { unmet, selectors };
  const [first] = selectors;
  const applies = hasUnboundHook(policy) || selectors.some((one) => one.unmet === undefined);
  if (applies || first?.unmet === undefined) return { unmet: undefined, selectors };
  const term = `${first.selector}.matchWorkloads: ${first.unmet.term}`;
  return { unmet: { term, found: first.unmet.found }, selectors };
}

/** Whether a hook of the policy applies to every container: it has no selectors, or one without `matchWorkloads`. */
const hasUnboundHook = ({ spec }: TracingPolicy): boolean =>
  hookKinds.some((hooks) =>
    spec[hooks].some(
      ({ selectors }) =>
        selectors.length === 0 || selectors.some(({ matchWorkloads }) => matchWorkloads === undefined),
    ),
  );
