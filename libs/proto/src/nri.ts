// SPDX-License-Identifier: Apache-2.0
// What travels between a container runtime and its NRI plugins.

export {
  ConfigureRequest,
  ConfigureResponse,
  Container,
  ContainerAdjustment,
  ContainerState,
  CreateContainerResponse,
  Empty,
  Event,
  EventRequest,
  Hook,
  PodSandbox,
  RegisterPluginRequest,
  StateChangeEvent,
  SynchronizeRequest,
  SynchronizeResponse,
} from "./gen/nri/v1alpha1/nri.ts";
export { Request as TtrpcRequest, Response as TtrpcResponse } from "./gen/ttrpc/request.ts";
