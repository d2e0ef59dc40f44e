// SPDX-License-Identifier: Apache-2.0
// Tracing policies and which containers they are about: pure.

export {
  ALL_PODS_ID,
  type FilterContainer,
  type FilterDefinition,
  type FilterPod,
  HOST_MARKER,
  isSameDefinition,
} from "./filter/filter-definition.ts";
export { createFilterState, type FilterChange, type FilterState } from "./filter/filter-state.ts";
export {
  findAnchor,
  type LabelRequirement,
  type LabelSelector,
  type Labels,
  matchAll,
  matchesSelector,
  selectsEverything,
} from "./label-selector.ts";
export { listMatchWorkloads, type PolicyFilter, toPolicyFilter } from "./schema/policy-filter.ts";
export { type PolicyMode, policyMode } from "./schema/policy-mode.ts";
export { type PathKey, type PolicyProblem, renderPath, renderProblem } from "./schema/policy-problem.ts";
export { parseTracingPolicy, type TracingPolicy } from "./schema/tracing-policy.ts";
