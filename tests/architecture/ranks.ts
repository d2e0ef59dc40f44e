// SPDX-License-Identifier: Apache-2.0
// The tables of docs/adr/0001.

/** Imports go from a higher rank to a lower one, never within a rank. */
export const ranks: ReadonlyMap<string, number> = new Map([
  ["libs/result", 0],
  ["libs/oci", 1],
  ["libs/proto", 1],
  ["libs/flags", 1],
  ["libs/net", 1],
  ["libs/toml", 1],
  ["libs/machines", 2],
  ["libs/nri", 2],
  ["libs/policy", 2],
  ["libs/statechart", 2],
  ["libs/explain", 2],
  ["libs/sys", 3],
  ["libs/log", 3],
  ["libs/yaml", 3],
  ["libs/bpf", 4],
  ["libs/config", 4],
  ["libs/grpc", 4],
  ["libs/hold", 4],
  ["libs/inspector", 4],
  ["libs/kube", 4],
  ["libs/metrics", 4],
  ["libs/runtime-config", 4],
  ["libs/terminal", 4],
  ["libs/follow", 5],
  ["libs/plugin", 5],
  ["apps/hook", 6],
  ["apps/agent", 6],
  ["apps/nri-plugin", 6],
  ["apps/setup", 6],
  ["apps/operator", 6],
]);

/** Topics of the agent. Imports go from a higher rank to a lower one or stay in the topic. */
export const topicRanks: ReadonlyMap<string, number> = new Map([
  ["base", 0],
  ["cgroups", 1],
  ["filter", 1],
  ["enforcement", 2],
  ["pods", 2],
  ["policies", 3],
  ["hook-log", 2],
  ["containers", 3],
  ["events", 4],
  ["explain", 5],
  ["api", 5],
  ["program", 6],
  ["cli", 7],
]);
/** Pure libraries, with the packages from outside that they may use. */
export const pure: ReadonlyMap<string, readonly string[]> = new Map([
  ["libs/result", []],
  ["libs/oci", ["valibot"]],
  ["libs/proto", ["@bufbuild/protobuf"]],
  ["libs/flags", []],
  ["libs/net", []],
  ["libs/statechart", ["elkjs", "xstate"]],
  ["libs/explain", []],
  ["libs/toml", ["smol-toml", "toml-eslint-parser"]],
  ["libs/policy", ["valibot"]],
  ["libs/machines", ["xstate"]],
  ["libs/yaml", ["js-yaml"]],
  ["libs/nri", []],
]);
