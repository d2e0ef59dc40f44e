// SPDX-License-Identifier: Apache-2.0
// gRPC servers: bounds for what their clients can occupy, and the health service.

export {
  type ConnectionBounds,
  type Eviction,
  toConnectionBounds,
} from "./core/connection-table.ts";
export type { ServerTlsFiles } from "./core/server-tls-flags.ts";
export { boundConnections } from "./edge/bound-connections.ts";
export { type HealthOptions, type HealthServer, serveHealth } from "./edge/serve-health.ts";
export { openServerTls, type ServerTls } from "./edge/server-tls.ts";
