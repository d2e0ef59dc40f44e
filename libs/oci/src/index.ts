// SPDX-License-Identifier: Apache-2.0

export { describeCgroupsPathError, expandCgroupsPath } from "./cgroups-path.ts";
export { findContradictoryIdentity, readIdentity, withOwnIdentity, withPod } from "./identity.ts";
export { haveSameLabels, type Labels, parseLabels, renderLabels } from "./labels.ts";
export {
  MAX_ENVIRONMENT_BYTES,
  type NriPod,
  POD_ENVIRONMENT,
  type PodFromEnvironment,
  parsePodEnvironment,
  renderPodEnvironment,
} from "./pod-environment.ts";
export { toPodLabels } from "./pod-labels.ts";
export { type CgroupLocation, locateCgroup, type ProcCgroupReader } from "./process-cgroup.ts";
export {
  POD_LABELS_KEY,
  REPORT_SOURCE_KEY,
  type ReportSource,
  RUNTIME_HANDLER_KEY,
  TRUSTED_HEADER,
  withoutReservedKeys,
} from "./reserved-annotations.ts";
export { detectRuntime } from "./runtime.ts";
export {
  type Annotations,
  type ContainerSpec,
  type OciState,
  parseSpec,
  parseState,
  renderSpecError,
} from "./spec.ts";
