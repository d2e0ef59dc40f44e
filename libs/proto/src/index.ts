// SPDX-License-Identifier: Apache-2.0
// Messages and services, generated from ../proto; see ../scripts/generate.ts.

export {
  ContainerEventsDefinition,
  ReportStoppedRequest,
  ReportStoppedResponse,
} from "./gen/rthooks/v1/container_events.ts";
export {
  AgentStateDefinition,
  Container,
  ListContainersRequest,
  ListContainersResponse,
} from "./gen/rthooks/v1/state.ts";
export {
  CreateContainer,
  FineGuidanceSensorsDefinition,
  GetHealthStatusRequest,
  GetHealthStatusResponse,
  GetVersionRequest,
  GetVersionResponse,
  HealthStatusResult,
  HealthStatusType,
  Mount,
  RuntimeHookRequest,
  RuntimeHookResponse,
} from "./gen/tetragon/sensors.ts";
