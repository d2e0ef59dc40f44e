// SPDX-License-Identifier: Apache-2.0
// The pod lifecycle: one actor per pod, its containers as child actors.

export { type ContainerLogic, type ContainerSnapshot, createContainerLogic } from "./container-actor.ts";
export { type ContainerContext, runsAlready } from "./container-logic.ts";
export { containerMachine } from "./container-machine.ts";
export type { Announcement, Cgroup, Failure, Labels, PodIdentity } from "./domain.ts";
export { createPodLogic, type PodLogic } from "./pod-actor.ts";
export { podMachine } from "./pod-machine.ts";
