// SPDX-License-Identifier: Apache-2.0

import type { RuleReport } from "@rthooks/policy";
import type { AgentEvent, EventContainer, MatchFacts, ProcessFacts } from "../core/agent-event.ts";
import type { EventNode } from "../core/thread-messages.ts";

export const node: EventNode = {
  nodeName: "node-1",
  clusterName: "",
  abi: "x64",
};

export const container: EventContainer = {
  cgroupId: 42n,
  id: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
  runtime: "containerd",
  name: "app",
  image: "docker.io/library/busybox:1.36",
  imageId: "docker.io/library/busybox@sha256:00",
  startTimeMs: 1_700_000_100_000,
  pid: 4240,
  podName: "web-0",
  podUid: "4c9f1974-5c46-4b0a-8d57-8f1b9d5e2a11",
  namespace: "shop",
  labels: new Map([["app", "web"]]),
  workload: "web",
  workloadKind: "StatefulSet",
};

export const parent: ProcessFacts = {
  ...{
    pid: 4240,
    tid: 4240,
    startTimeNs: 1_700_000_100_000_000_000n,
    uid: 0,
    auid: 4_294_967_295,
    namespacePid: 1,
  },
  ...{ binary: "/bin/sh", arguments: "-c run", cwd: "/", flags: ["execve"], execId: "cGFyZW50", refcnt: 1 },
  ...{ parentExecId: "aW5pdA==", inInitTree: true, container },
};

export const child: ProcessFacts = {
  ...parent,
  ...{
    pid: 4242,
    tid: 4242,
    startTimeNs: 1_700_000_101_000_000_001n,
    uid: 1000,
    namespacePid: 7,
    binary: "/bin/cat",
  },
  ...{ arguments: "/etc/shadow", flags: ["execve", "clone"], execId: "Y2hpbGQ=", parentExecId: "cGFyZW50" },
};

type EventOf<Kind extends AgentEvent["kind"]> = Extract<AgentEvent, { readonly kind: Kind }>;

export const exec: EventOf<"exec"> = {
  kind: "exec",
  timeNs: 1_700_000_101_000_000_001n,
  process: child,
  parent,
};

export const exit: EventOf<"exit"> = { ...exec, kind: "exit", status: 0, signal: "SIGKILL" };

export const report: RuleReport = {
  ...{ policyName: "no-metadata", policyNamespace: "", event: "kprobe", hook: "tcp_connect" },
  ...{ hookIndex: 0, selectorIndex: 1, selectorLabel: "", message: "not allowed", tags: ["net"] },
  args: [{ facet: "socket", type: "sock", label: "socket" }],
};

const socketFacts: MatchFacts = {
  numbers: {
    family: 2n,
    protocol: 6n,
    socketType: 1n,
    socketState: 7n,
    destinationPort: 80n,
    sourcePort: 0n,
  },
  texts: {},
  addresses: { destination: "169.254.169.254", source: "10.0.0.7" },
};

export const match: EventOf<"match"> = {
  ...exec,
  kind: "match",
  ...{ report, hook: report.hook },
  action: "override",
  facts: socketFacts,
};
