// SPDX-License-Identifier: Apache-2.0
// Facts of containers that are not on record: what one report, list or log line says of them.

import type { DeniedStart, HookInvocation } from "@rthooks/explain";
import { type ContainerFacts, toReportFacts } from "../../containers/core/container-facts.ts";
import type { ContainerRecord } from "../../containers/core/container-record.ts";

/** The hook says in its log what it would have told the agent. */
export const ofInvocation = (one: HookInvocation): ContainerFacts =>
  toReportFacts(
    {
      ...{ ...nothing, containerId: one.containerId, containerName: one.container, image: one.image },
      podUid: one.podUid === "" ? undefined : one.podUid,
      ...{ podNamespace: one.namespace, podName: one.pod, cgroupsPath: one.cgroup, source: one.by },
      seenAtNanos: toNanos(one.startedMs),
    },
    { endedMs: one.startedMs + one.durationMs },
  );

export const ofMissing = (record: ContainerRecord): ContainerFacts =>
  toReportFacts(
    {
      ...{ ...nothing, containerId: record.id, containerName: record.name, image: record.image },
      podUid: record.podUid === "" ? undefined : record.podUid,
      ...{ podNamespace: record.podNamespace, podName: record.podName, podLabels: record.podLabels },
      source: record.source === "cri" ? "cri" : "scan",
      seenAtNanos: record.reportedAtNanos,
    },
    { state: record.state, failure: { kind: record.errorKind, message: record.error } },
  );

export const ofDenied = ({ containerId, atMs, by, failure, ...names }: DeniedStart): ContainerFacts =>
  toReportFacts(
    {
      ...{ ...nothing, containerId, containerName: names.container },
      ...{ podNamespace: names.namespace, podName: names.pod, source: by === "nri" ? "nri" : "hook" },
      seenAtNanos: toNanos(atMs),
    },
    { failure, endedMs: atMs },
  );

const nothing = {
  containerName: "",
  image: "",
  podUid: undefined,
  podNamespace: "",
  podName: "",
  podLabels: undefined,
  cgroupsPath: "",
  cgroup: undefined,
  answerByMs: Number.POSITIVE_INFINITY,
  arrivedMs: undefined,
};

const toNanos = (unixMs: number): bigint => BigInt(Math.round(unixMs * 1e6));
