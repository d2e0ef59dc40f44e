// SPDX-License-Identifier: Apache-2.0
// The hook's log lines, with the keys, order and messages of Tetragon's hook.

import { escapeUnprintable } from "@rthooks/log/escape-unprintable";
import type { RuntimeHookMessage } from "@rthooks/proto/unary";
import type { WallTime } from "@rthooks/sys";

export type LogLevel = "DEBUG" | "INFO" | "WARN" | "ERROR";

export type LogFields = Readonly<Record<string, unknown>>;

const severity: Readonly<Record<string, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** `threshold`: a value of --log-level. */
export const isLogged = (level: LogLevel, threshold: string): boolean =>
  (severity[level.toLowerCase()] ?? 0) >= (severity[threshold] ?? 1);

/** One line with its newline. */
export function renderLogLine(time: WallTime, level: LogLevel, msg: string, fields: LogFields): string {
  const json = JSON.stringify({ time: renderTime(time), level, msg, ...fields });
  return `${isPrintableAscii(json) ? json : escapeUnprintable(json)}\n`;
}

/** JSON escapes control characters below U+0020. No regular expression, since compiling one would delay each hook. */
const isPrintableAscii = (json: string): boolean =>
  new TextEncoder().encode(json).length === json.length && !json.includes("\u007f");

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
