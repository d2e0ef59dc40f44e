// SPDX-License-Identifier: Apache-2.0
// Records of containers that are not on record: their call waits, or it was refused.

import type { ContainerReport } from "@rthooks/machines/pod";
import type { Refusal } from "../../base/core/refusal.ts";
import type { ContainerRecord } from "./container-record.ts";
import type { HookRequest } from "./hook-request.ts";
import { toPluginError } from "./plugin-refusals.ts";

const nothing: ContainerRecord = {
  ...{ id: "", name: "", image: "", podUid: "", podName: "", podNamespace: "", podLabels: new Map() },
  ...{ cgroupPath: "", cgroupId: 0n, state: "failed", source: "", reportedAtNanos: 0n },
  ...{ error: "", errorKind: "" },
};

/** The start waits, for its pod to arrive from the API server. */
export const toWaitingRecord = (report: ContainerReport): ContainerRecord => ({
  ...toReported(report),
  state: "waiting",
});

export const toRefusedRecord = (report: ContainerReport, refusal: Refusal): ContainerRecord => ({
  ...toReported(report),
  ...toError(refusal),
});

/** Of a call of which no report could be made. */
export const toRefusedRequest = (request: HookRequest, refusal: Refusal): ContainerRecord => ({
  ...nothing,
  id: request.containerId,
  name: request.containerName,
  podName: request.podName,
  podNamespace: request.podNamespace,
  ...toError(refusal),
});

/** Of a container that the NRI plugin denied. */
export const toDeniedRecord = (containerId: string, reason: string): ContainerRecord => ({
  ...{ ...nothing, id: containerId, source: "nri" },
  ...toPluginError(reason),
});

const toError = ({ kind, message }: Refusal) => ({ error: message, errorKind: kind });

const toReported = (report: ContainerReport): ContainerRecord => ({
  ...nothing,
  id: report.containerId,
  name: report.containerName,
  image: report.image,
  podUid: report.podUid ?? "",
  podName: report.podName,
  podNamespace: report.podNamespace,
  podLabels: report.podLabels ?? nothing.podLabels,
  cgroupPath: report.cgroupsPath,
  source: report.source,
  reportedAtNanos: report.seenAtNanos,
});
