// SPDX-License-Identifier: Apache-2.0
// The hook's log lines, with the keys, order and messages of Tetragon's hook.

import type { LogFields } from "@rthooks/log/json-line";
import type { RuntimeHookMessage } from "@rthooks/proto/unary";
import type { WallTime } from "@rthooks/sys";

/** RFC 3339 in UTC with nine digits: "2024-07-01T10:57:21.435689144Z". */
export function renderTime({ seconds, nanos }: WallTime): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${String(nanos).padStart(9, "0")}Z`;
}

/** The log's name of the stages createRuntime and prestart. */
export const CREATE_CONTAINER = "create-container";

export function toRequestFields(request: RuntimeHookMessage, level: string): LogFields {
  return {
    "req-cgroups": request.cgroupsPath,
    "req-rootdir": request.rootDir,
    "req-containerName": request.containerName,
    "req-containerID": request.containerID,
    "req-containerImage": request.containerImage,
    "req-podName": request.podName,
    "req-podUID": request.podUID,
    "req-podNamespace": request.podNamespace,
    ...(level === "debug" ? { "req-annotations": Object.fromEntries(request.annotations) } : {}),
  };
}
