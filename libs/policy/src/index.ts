// SPDX-License-Identifier: Apache-2.0
// Tracing policies, their filters, and which containers the filters match. Pure.

export { readCallNumbers } from "./enforcement/call-numbers.ts";
export { type ChosenMechanism, chooseMechanism, describeMechanisms } from "./enforcement/choose-mechanism.ts";
export type {
  AddressFacet,
  AddressFilter,
  ArgumentReading,
  Comparison,
  HookArgument,
  HookPoint,
  KernelRule,
  NumberFacet,
  NumberFilter,
  RuleEffect,
  RuleFilters,
  TextFacet,
  TextFilter,
} from "./enforcement/kernel-rule.ts";
export type { Mechanism } from "./enforcement/mechanism-steps.ts";
export type { NodeCapabilities } from "./enforcement/node-capabilities.ts";
export {
  type HookOutcome,
  type MissingCapability,
  type PolicyRule,
  renderMissing,
  type SelectorOutcome,
} from "./enforcement/policy-rule.ts";
export { type ReportedArgument, type RuleReport, reportedHook } from "./enforcement/rule-report.ts";
export { findCallNumber } from "./enforcement/syscall-name.ts";
export type { Architecture } from "./enforcement/syscall-numbers.ts";
export { commonCalls } from "./enforcement/syscall-numbers.ts";
export { toKernelRules } from "./enforcement/to-kernel-rules.ts";
export { ALL_PODS_ID, type Filter, HOST_MARKER, isSameFilter } from "./filter/filter.ts";
export {
  createFilterMembership,
  type FilterMembership,
  type MembershipChange,
} from "./filter/filter-membership.ts";
export { type FilteredContainer, hasPod } from "./filter/filtered-container.ts";
export { findUnmetTerm, type UnmetTerm } from "./filter/unmet-term.ts";
export {
  findAnchor,
  type LabelRequirement,
  type LabelSelector,
  matchAll,
  matchesSelector,
  selectsEverything,
} from "./label-selector.ts";
export { findNearestNames } from "./schema/nearest-names.ts";
export { listMatchWorkloads, toFilter } from "./schema/policy-filters.ts";
export { type PolicyMode, policyMode } from "./schema/policy-mode.ts";
export { type PathKey, type PolicyProblem, renderPath, renderProblem } from "./schema/policy-problem.ts";
export { findSelection, type PolicySelection, type SelectorSelection } from "./schema/policy-selection.ts";
export { parseTracingPolicy, type TracingPolicy } from "./schema/tracing-policy.ts";
