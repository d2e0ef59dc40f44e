// SPDX-License-Identifier: Apache-2.0
// Tracing policies and which containers they are about: pure.

export {
  findAnchor,
  type LabelRequirement,
  type LabelSelector,
  type Labels,
  matchAll,
  matchesSelector,
  selectsEverything,
} from "./label-selector.ts";
