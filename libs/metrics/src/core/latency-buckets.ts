// SPDX-License-Identifier: Apache-2.0

/** Histogram buckets in seconds for calls that containers wait for: normal ones take milliseconds, timeouts are seconds. */
export const latencyBuckets = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5];
