// SPDX-License-Identifier: Apache-2.0
// Messages and services, generated from ../proto; see ../scripts/generate.ts.

export { BoolValue, StringValue } from "./gen/google/protobuf/wrappers.ts";
export {
  ContainerEventsDefinition,
  ReportPluginProblemRequest,
  ReportRefusedRequest,
  ReportStoppedRequest,
  ReportStoppedResponse,
} from "./gen/rthooks/v1/container_events.ts";
export {
  AgentStateDefinition,
  Container,
  ExplainContainerRequest,
  ExplainContainerResponse,
  GetContainerRequest,
  ListContainersRequest,
  ListContainersResponse,
  StateChange,
  WatchContainersRequest,
  WatchContainersResponse,
} from "./gen/rthooks/v1/state.ts";
export {
  ConfigFlag,
  CreateContainer,
  FineGuidanceSensorsDefinition,
  GetDebugRequest,
  GetDebugResponse,
  GetHealthStatusRequest,
  GetHealthStatusResponse,
  GetInfoResponse,
  GetVersionRequest,
  GetVersionResponse,
  HealthStatusResult,
  HealthStatusType,
  HookState,
  ListDomainsResponse,
  ListTracingPoliciesResponse,
  LogLevel as DebugLevel,
  Mount,
  RuntimeHookRequest,
  RuntimeHookResponse,
  SetDebugRequest,
  SetDebugResponse,
  TracingPolicyActionCounters,
  TracingPolicyMode,
  TracingPolicyState,
  TracingPolicyStats,
  TracingPolicyStatus,
} from "./gen/tetragon/sensors.ts";
