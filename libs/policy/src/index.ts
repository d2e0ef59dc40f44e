// SPDX-License-Identifier: Apache-2.0
// Tracing policies and which containers they are about: pure.

export {
  ALL_PODS_ID,
  type FilterContainer,
  type FilterDefinition,
  type FilterPod,
  HOST_MARKER,
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
export {
  type PolicyProblem,
  parseTracingPolicy,
  renderPolicyProblem,
  type TracingPolicy,
} from "./schema/parse-tracing-policy.ts";
export { findMode, type PolicyMode, toFilterDefinition } from "./schema/policy-meaning.ts";
