// SPDX-License-Identifier: Apache-2.0
// The pod lifecycle: one actor per pod, its containers as child actors.

export { type ContainerContext, runsAlready } from "./container-logic.ts";
export { type ContainerLogic, type ContainerSnapshot, containerMachine } from "./container-machine.ts";
export type {
  Cgroup,
  ContainerReport,
  Failure,
  Origin,
  PodIdentity,
} from "./domain.ts";
export {
  type ContainerRef,
  type PodArgs,
  podIsDeleted,
  toOrigin,
  toReportConflict,
  toSourceConflict,
} from "./pod-logic.ts";
export { type PodLogic, podMachine } from "./pod-machine.ts";
