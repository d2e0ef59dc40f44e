// SPDX-License-Identifier: Apache-2.0

/** Upper bounds in seconds, for whatever containers wait for: their starts take milliseconds, and are given up after seconds. */
export const latencyBuckets = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5];
