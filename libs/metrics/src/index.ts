// SPDX-License-Identifier: Apache-2.0
// A program's figures, and where they can be read.

export { latencyBuckets } from "./core/latency-buckets.ts";
export { serveMetrics } from "./edge/serve-metrics.ts";
