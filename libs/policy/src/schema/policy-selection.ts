// SPDX-License-Identifier: Apache-2.0
// Whether a policy is about a container, and if not, why: its own filter first, then those of its selectors.

import { type FailingTerm, findFailingTerm } from "../filter/failing-term.ts";
import type { FilteredContainer } from "../filter/filtered-container.ts";
import { listMatchWorkloads, toFilter } from "./policy-filters.ts";
import { hookKinds } from "./references.ts";
import type { TracingPolicy } from "./tracing-policy.ts";

/** Of one selector with `matchWorkloads`. */
export interface SelectorSelection {
  /** "kprobes[0].selectors[1]" */
  readonly selector: string;
  /** Undefined: the selector matches the container's processes, as far as workloads are concerned. */
  readonly failing: FailingTerm | undefined;
}

export interface PolicySelection {
  /**
   * Undefined: the policy selects the container. It does so if its own filter matches, and a hook of it has a selector that
   * does, or one without `matchWorkloads`, or no selector.
   */
  readonly failing: FailingTerm | undefined;
  /** In the order of the document. */
  readonly selectors: readonly SelectorSelection[];
}

export function findSelection(policy: TracingPolicy, container: FilteredContainer): PolicySelection {
  const own = toFilter(policy);
  const selectors = listMatchWorkloads(policy).map(({ hooks, hookIndex, selectorIndex, filter }) => ({
    selector: `${hooks}[${hookIndex}].selectors[${selectorIndex}]`,
    failing: filter && findFailingTerm(filter, container),
  }));
  const failing = own && findFailingTerm(own, container);
  if (failing !== undefined) return { failing, selectors };
  const [first] = selectors;
  const applies = hasUnboundHook(policy) || selectors.some((one) => one.failing === undefined);
  if (applies || first?.failing === undefined) return { failing: undefined, selectors };
  const term = `${first.selector}.matchWorkloads: ${first.failing.term}`;
  return { failing: { term, found: first.failing.found }, selectors };
}

/** Whether a hook of the policy applies to every container: it has no selectors, or one without `matchWorkloads`. */
const hasUnboundHook = ({ spec }: TracingPolicy): boolean =>
  hookKinds.some((hooks) =>
    spec[hooks].some(
      ({ selectors }) =>
        selectors.length === 0 || selectors.some(({ matchWorkloads }) => matchWorkloads === undefined),
    ),
  );
