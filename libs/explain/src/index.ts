// SPDX-License-Identifier: Apache-2.0
// What a node says of itself: the explanation of one container, and the overview of the node. Terminal and page show both.

export type {
  ContainerOutcome,
  Explanation,
  FailingTerm,
  FailureAdvice,
  HoldPhase,
  IdentityPart,
  PolicyMatch,
  RuntimeHold,
} from "./explanation.ts";
export type {
  ContainerCount,
  DeniedStart,
  NodeOverview,
  RuntimeInterface,
  SourceState,
  StateCount,
  WaitingStart,
} from "./overview.ts";
