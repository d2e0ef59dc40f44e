// SPDX-License-Identifier: Apache-2.0
// The parts of the agent that can have a problem, as labels of a metric.

export const healthParts = [
  "policy-filter",
  "enforcement",
  "pods",
  "kept-policies",
  "policy-files",
  "policies",
  "cri",
  "cgroups",
  "directory-watch",
  "containers",
  "nri-plugin",
  "hook-log",
  "events",
  "server-tls",
  "descriptors",
] as const; // const: the names are a union

export type HealthPart = (typeof healthParts)[number];
