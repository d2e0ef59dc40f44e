// SPDX-License-Identifier: Apache-2.0
// Converts between generated messages and the agent's own types.

import { POD_LABELS_KEY, REPORT_SOURCE_KEY } from "@rthooks/oci";
import type { Container, CreateContainer } from "@rthooks/proto";
import { type GrpcCode, grpcCode } from "@rthooks/proto/grpc-code";
import { assertNever } from "@rthooks/result";
import type { Refusal, RefusalKind } from "../../base/core/refusal.ts";
import type { WireError } from "../../base/wire/service.ts";
import type { ContainerRecord } from "../../containers/core/container-record.ts";
import type { HookRequest } from "../../containers/core/hook-request.ts";

/** `isTrusted`: the sender removed reserved annotations that the pod's author wrote. */
export function toHookRequest(message: CreateContainer, isTrusted: boolean): HookRequest {
  const { annotations } = message;
  return {
    cgroupsPath: message.cgroupsPath,
    containerName: message.containerName,
    containerId: message.containerID,
    containerImage: message.containerImage,
    podName: message.podName,
    podUid: message.podUID,
    podNamespace: message.podNamespace,
    trusted: isTrusted
      ? { podLabels: annotations.get(POD_LABELS_KEY), source: annotations.get(REPORT_SOURCE_KEY) }
      : undefined,
  };
}

export function toContainerMessage(record: ContainerRecord): Container {
  const { reportedAtNanos, podLabels, ...rest } = record;
  return { ...rest, podLabels: new Map(podLabels), learnedUnixNanos: reportedAtNanos };
}

export function toContainerRecord(message: Container): ContainerRecord {
  const { learnedUnixNanos, ...rest } = message;
  return { ...rest, reportedAtNanos: learnedUnixNanos };
}

export function toWireError({ kind, message }: Refusal): WireError {
  return { code: toStatusCode(kind), details: message };
}

function toStatusCode(kind: RefusalKind): GrpcCode {
  switch (kind) {
    case "bad-request":
      return grpcCode.invalidArgument;
    case "cgroup-missing":
      return grpcCode.notFound;
    case "too-late":
      return grpcCode.deadlineExceeded;
    case "cgroup-unreadable":
    case "cgroup-conflict":
    case "namespace-conflict":
    case "pod-conflict":
    case "pod-gone":
    case "pod-unknown":
      return grpcCode.failedPrecondition;
    case "filter-full":
      return grpcCode.resourceExhausted;
    case "internal":
      return grpcCode.internal;
    default:
      return assertNever(kind);
  }
}
