// SPDX-License-Identifier: Apache-2.0

export { describeCgroupsPathError, expandCgroupsPath } from "./cgroups-path.ts";
export { readIdentity, withoutForeignIdentity } from "./identity.ts";
export { detectRuntime } from "./runtime.ts";
export {
  type Annotations,
  type ContainerSpec,
  type ContainerState,
  parseSpec,
  parseState,
  renderSpecError,
} from "./spec.ts";
