// SPDX-License-Identifier: Apache-2.0
// What a container runtime tells of its containers.

export {
  ContainerState,
  CriContainer,
  PodSandbox,
  RuntimeServiceDefinition,
} from "./gen/runtime/v1/cri.ts";
