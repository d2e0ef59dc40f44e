// SPDX-License-Identifier: Apache-2.0
// Messages of the CRI that the agent reads: the containers of a runtime.

export {
  ContainerState,
  CriContainer,
  PodSandbox,
  RuntimeServiceDefinition,
} from "./gen/runtime/v1/cri.ts";
