// SPDX-License-Identifier: Apache-2.0
// Prometheus metrics of a program: the HTTP endpoint and common buckets.

export { latencyBuckets } from "./core/latency-buckets.ts";
export { registerProcessMetrics } from "./edge/process-metrics.ts";
export { serveMetrics } from "./edge/serve-metrics.ts";
export { serveProbes } from "./edge/serve-probes.ts";
