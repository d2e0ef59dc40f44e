// SPDX-License-Identifier: Apache-2.0
// Explanations and an overview for tests: a container that the OCI hook held and that runs, one whose start was denied, and
// a node where something of every kind is to be seen.

import type { Explanation, PolicyMatch } from "./explanation.ts";
import type { NodeOverview } from "./overview.ts";
import type { PolicyEnforcement } from "./policy-enforcement.ts";

/** 2026-03-14 09:26:53.589 UTC. */
export const exampleMs = Date.UTC(2026, 2, 14, 9, 26, 53, 589);

const policy = { namespace: "", domain: "static", state: "enabled", mode: "enforce", selectors: [] } as const; // const: literals
const denyShells: PolicyEnforcement = {
  mechanism: "prevented by lsm",
  counts: { matches: 12, denials: 12, signals: 0, withheld: 0 },
};
const protectKeys: PolicyEnforcement = {
  mechanism: "signalled: the call completes",
  counts: { matches: 1200, denials: 0, signals: 3, withheld: 0 },
};
const exec: PolicyMatch = {
  ...{ ...policy, name: "deny-shells", selects: true, failing: undefined },
  enforcement: denyShells,
};
const files: PolicyMatch = {
  ...policy,
  name: "protect-keys",
  namespace: "shop",
  selects: false,
  failing: { term: "pod label app in (db, web)", found: "app=cache" },
  enforcement: protectKeys,
};
const network: PolicyMatch = {
  ...{ name: "egress", namespace: "payments", domain: "k8s", state: "disabled", mode: "monitor" },
  selectors: [],
  selects: false,
  failing: { term: "namespace is payments", found: "namespace is shop" },
  enforcement: undefined,
};

export const startedExample: Explanation = {
  containerId: "8f1d2c3b4a5968778695a4b3c2d1e0f00112233445566778899aabbccddeeff0",
  state: "released",
  outcome: "running",
  firstReportMs: exampleMs + 4.2,
  endedMs: undefined,
  identity: [
    { part: "namespace", value: "shop", source: "hook", reportedMs: exampleMs + 4.2 },
    { part: "pod", value: "cache-7d9f8b6c5-x2x4z", source: "hook", reportedMs: exampleMs + 4.2 },
    {
      part: "pod UID",
      value: "6ce5fb4c-1e9b-4c4b-8a0a-3f2f1e0d7b22",
      source: "hook",
      reportedMs: exampleMs + 4.2,
    },
    { part: "labels", value: "app=cache, tier=backend", source: "pod-source", reportedMs: exampleMs + 9.6 },
    { part: "container", value: "redis", source: "hook", reportedMs: exampleMs + 4.2 },
    { part: "image", value: "docker.io/library/redis:7", source: "hook", reportedMs: exampleMs + 4.2 },
    {
      part: "cgroup",
      value: "/kubepods/burstable/pod6ce5fb4c-1e9b-4c4b-8a0a-3f2f1e0d7b22/8f1d2c3b4a59",
      ...{ source: "hook", reportedMs: exampleMs + 4.2 },
    },
    { part: "cgroup id", value: "12345", source: "kernel", reportedMs: exampleMs + 9.8 },
  ],
  hold: {
    by: "hook",
    startedMs: exampleMs,
    durationMs: 11.4,
    phases: [
      { where: "hook", what: "read the spec", startedMs: exampleMs + 0.3, durationMs: 1.1 },
      { where: "hook", what: "connect to the agent", startedMs: exampleMs + 1.4, durationMs: 2.6 },
      { where: "pod source", what: "wait for the pod", startedMs: exampleMs + 4.3, durationMs: 5.2 },
      { where: "agent", what: "find the cgroup", startedMs: exampleMs + 9.6, durationMs: 0.2 },
      { where: "kernel map", what: "write the filter maps", startedMs: exampleMs + 9.9, durationMs: 0.4 },
    ],
  },
  policies: [exec, files, network],
  failure: undefined,
};

export const deniedExample: Explanation = {
  ...startedExample,
  containerId: "00aa11bb22cc33dd44ee55ff6600771188229933aa44bb55cc66dd77ee88ff99",
  state: "",
  outcome: "denied",
  firstReportMs: exampleMs,
  endedMs: exampleMs + 2004,
  identity: [
    { part: "namespace", value: "payments", source: "hook", reportedMs: exampleMs + 1.2 },
    { part: "pod", value: "ledger-0", source: "hook", reportedMs: exampleMs + 1.2 },
    { part: "container", value: "ledger", source: "hook", reportedMs: exampleMs + 1.2 },
    { part: "labels", value: "", source: "", reportedMs: undefined },
  ],
  hold: {
    by: "hook",
    startedMs: exampleMs,
    durationMs: 2004,
    phases: [
      { where: "hook", what: "read the spec", startedMs: exampleMs + 0.2, durationMs: 1 },
      { where: "hook", what: "connect to the agent", startedMs: exampleMs + 1.2, durationMs: 2000 },
    ],
  },
  policies: [],
  failure: {
    kind: "unreachable",
    what: "The hook could not reach the agent, and the fail check denies containers of the namespace payments.",
    next: "Start the agent (systemctl start tetragon), or exempt the namespace with --fail-allow-namespaces.",
    message: "connecting to agent (context deadline exceeded) failed: unix:///var/run/tetragon/tetragon.sock",
  },
};

const names = { namespace: "shop", pod: "cache-7d9f8b6c5-x2x4z", container: "redis" } as const; // const: literals

export const overviewExample: NodeOverview = {
  atMs: exampleMs + 60_000,
  node: "node-1",
  version: "1.4.0",
  held: [
    { ...names, containerId: startedExample.containerId, sinceMs: exampleMs + 57_600, state: "identified" },
  ],
  heldCount: 1,
  denied: [
    {
      containerId: deniedExample.containerId,
      ...{ namespace: "payments", pod: "ledger-0", container: "ledger" },
      ...{ atMs: exampleMs + 2004, by: "hook" },
      failure: {
        kind: "unreachable",
        what: "The hook could not reach the agent, and the fail check denies containers of the namespace payments.",
        next: "Start the agent (systemctl start tetragon), or exempt the namespace with --fail-allow-namespaces.",
        message:
          "connecting to agent (context deadline exceeded) failed: unix:///var/run/tetragon/tetragon.sock",
      },
    },
  ],
  deniedCount: 1,
  sources: [
    {
      ...{ name: "API server", state: "stale", sinceMs: exampleMs + 20_000 },
      problem: "the watch of pods failed: connection refused",
    },
    { name: "CRI", state: "current", problem: "", sinceMs: undefined },
    { name: "NRI plugin", state: "off", problem: "", sinceMs: undefined },
    { name: "policy files", state: "current", problem: "", sinceMs: undefined },
  ],
  policies: [
    { state: "enabled", count: 12 },
    { state: "load_error", count: 1 },
  ],
  enforced: [
    { ...{ name: "protect-keys", namespace: "shop", domain: "static", mode: "enforce" }, ...protectKeys },
    { ...{ name: "deny-shells", namespace: "", domain: "static", mode: "enforce" }, ...denyShells },
  ],
  enforcedCount: 2,
  containers: [
    { state: "released", source: "hook", count: 31 },
    { state: "released", source: "synchronize", count: 7 },
    { state: "identified", source: "hook", count: 1 },
    { state: "failed", source: "hook", count: 2 },
  ],
  interfaces: [
    { name: "OCI hook", runtime: "", containers: 34, lastReportMs: exampleMs + 57_600 },
    { name: "NRI plugin", runtime: "", containers: 7, lastReportMs: exampleMs - 3_600_000 },
    { name: "CRI", runtime: "containerd 2.1.9", containers: 0, lastReportMs: undefined },
  ],
  problems: ["pods from the API server may be out of date: connection refused"],
};
