// SPDX-License-Identifier: Apache-2.0
// What a node says of itself: the explanation of one container, and the overview of the node. Terminal and page show both.

export { findContainerId } from "./container-of-actor.ts";
export {
  type ContainerQuery,
  MIN_ID_LENGTH,
  parseContainerQuery,
  type QueryProblem,
  quoteQuery,
} from "./container-query.ts";
export { describeFailure, type FailureKind, isFailureKind } from "./describe-failure.ts";
export {
  type ContainerOutcome,
  type Explanation,
  type FailingTerm,
  type FailureAdvice,
  type HoldPhase,
  type IdentityPart,
  nameHolder,
  type PolicyMatch,
  type RuntimeHold,
  type SelectorMatch,
} from "./explanation.ts";
export type { HookInvocation } from "./hook-invocation.ts";
export type {
  ContainerCount,
  DeniedStart,
  NodeOverview,
  RuntimeInterface,
  SourceState,
  StateCount,
  WaitingStart,
} from "./overview.ts";
export {
  describeCounts,
  type EnforcedPolicy,
  type EnforcementCounts,
  type PolicyEnforcement,
} from "./policy-enforcement.ts";
export {
  type Participant,
  type SequenceStep,
  type StartSequence,
  toStartSequence,
} from "./start-sequence.ts";
