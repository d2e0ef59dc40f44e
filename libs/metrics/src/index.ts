// SPDX-License-Identifier: Apache-2.0
// Where a program's figures can be read.

export { serveMetrics } from "./edge/serve-metrics.ts";
