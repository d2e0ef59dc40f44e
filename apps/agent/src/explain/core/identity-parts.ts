// SPDX-License-Identifier: Apache-2.0
// Who a container is, and who reported each part of that.

import type { IdentityPart } from "@rthooks/explain";
import type { Origin } from "@rthooks/machines/pod";
import type { ContainerFacts } from "../../containers/core/container-facts.ts";
import type { PodQuery } from "../../pods/core/pod-source.ts";
import type { PodTimes } from "./pod-times.ts";

/** When the pod source reported the pod; undefined for a pod that it does not have. */
export type FindPodTimes = (pod: PodQuery) => PodTimes | undefined;

export function listIdentity(facts: ContainerFacts, findPodTimes: FindPodTimes): readonly IdentityPart[] {
  const { report, pod, cgroup, times } = facts;
  const { source, seenAtNanos } = report;
  const reported: Origin = { source, atNanos: seenAtNanos };
  const first: Origin = { source: facts.source, atNanos: facts.reportedAtNanos };
  const namespace = pod?.namespace ?? report.podNamespace;
  const name = pod?.name ?? report.podName;
  const uid = pod?.uid ?? report.podUid;
  const isFromSource = pod?.identitySource === "pod-source";
  const origins = pod === undefined ? reportedBy(reported) : pod.origins;
  const fromSource = isFromSource ? findPodTimes({ uid, namespace, name }) : undefined;

  const toPart = (
    part: string,
    value: string,
    origin: Origin | undefined,
    changedMs?: number,
  ): IdentityPart => {
    if (value === "") return { part, value, source: "", reportedMs: undefined };
    if (origin !== undefined) return { part, value, source: origin.source, reportedMs: toMs(origin.atNanos) };
    return { part, value, source: "pod-source", reportedMs: changedMs };
  };
  const labels = pod?.labels ?? report.podLabels;
  return [
    toPart("namespace", namespace, origins.namespace, fromSource?.firstMs),
    toPart("pod", name, origins.name, fromSource?.firstMs),
    toPart("pod UID", uid ?? "", origins.uid, fromSource?.firstMs),
    toPart("labels", renderLabels(labels), isFromSource ? undefined : origins.labels, fromSource?.changedMs),
    toPart("container", report.containerName, reported),
    toPart("image", report.image, reported),
    // A later report with a cgroup below the root cgroup does not change it.
    toPart(
      "cgroup",
      cgroup?.path ?? report.cgroupsPath,
      cgroup === undefined || cgroup.path === report.cgroupsPath ? reported : first,
    ),
    {
      part: "cgroup id",
      value: cgroup === undefined ? "" : `${cgroup.id}`,
      source: cgroup === undefined ? "" : "kernel",
      reportedMs: cgroup === undefined ? undefined : findLookupMs(facts, times),
    },
  ];
}

/** A report that had no machine: all values are its own. */
const reportedBy = (origin: Origin) => ({ uid: origin, namespace: origin, name: origin, labels: origin });

/** The lookup of a container that was not held follows its report within microseconds. */
function findLookupMs({ report }: ContainerFacts, times: ContainerFacts["times"]): number {
  const lookupMs = times?.filterMs ?? times?.lookupMs;
  if (times === undefined || lookupMs === undefined) return toMs(report.seenAtNanos);
  return toMs(times.report.seenAtNanos) + lookupMs - times.arrivedMs;
}

const renderLabels = (labels: ReadonlyMap<string, string> | undefined): string =>
  [...(labels ?? [])].map(([key, value]) => `${key}=${value}`).join(", ");

/** Nanoseconds as milliseconds with fractions. */
export const toMs = (nanos: bigint): number => Number(nanos) / 1e6;
