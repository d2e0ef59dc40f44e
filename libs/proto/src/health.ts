// SPDX-License-Identifier: Apache-2.0
// Messages of gRPC's health service.

export {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  HealthDefinition,
  HealthListRequest,
  HealthListResponse,
} from "./gen/grpc/health/v1/health.ts";
