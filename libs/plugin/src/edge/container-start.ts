// SPDX-License-Identifier: Apache-2.0
// A container at CreateContainer or StartContainer, and the log lines and answers for its denial or start.

import type { LogFields, Logger } from "@rthooks/log";
import type { NriContainer, TtrpcStatus } from "@rthooks/nri";
import type { NriPod } from "@rthooks/oci";
import { grpcCode } from "@rthooks/proto/grpc-code";
import { err, ok, type Result } from "@rthooks/result";
import type { Metrics, StartReason } from "../core/metrics.ts";

export interface ContainerStart {
  readonly pod: NriPod;
  readonly container: NriContainer;
  /** The runtime's handler (a RuntimeClass' `handler`); empty for its default one. */
  readonly handler: string;
  /** Whether an error at this event denies the container; if not, the runtime ignores it. */
  readonly isBinding: boolean;
}

export interface Denial {
  /** One word for the log. */
  readonly reason: StartReason;
  /** A sentence for the log and for the agent. */
  readonly text: string;
  /** The fail check's reason, where the fail check decided. */
  readonly failCheckReason?: string;
  /** The error that the runtime shows, where it differs from the text. */
  readonly message?: string;
}

export const toFields = ({ pod, container, handler }: ContainerStart): LogFields => ({
  namespace: pod.namespace,
  pod: pod.name,
  container: container.name,
  containerID: container.id,
  handler: handler === "" ? undefined : handler,
});

/** Where denials and unheld starts are reported. */
export interface StartReports {
  readonly log: Logger;
  readonly metrics: Pick<Metrics, "countUnheld" | "countDenied">;
  reportRefused(containerId: string, reason: string): void;
}

/** Denies the container: logs the reason, reports it to the agent (`tetragon status` shows it), and returns the answer. */
export function deny(
  { log, metrics, reportRefused }: StartReports,
  start: ContainerStart,
  { reason, text, failCheckReason, message }: Denial,
): Result<never, TtrpcStatus> {
  const fields = { ...toFields(start), reason, err: text, "should-fail": failCheckReason };
  if (start.isBinding) {
    metrics.countDenied(reason);
    log.warn("container denied", fields);
    reportRefused(start.container.id, text);
  } else {
    metrics.countUnheld(reason);
    log.error("denied container starts: this runtime ignores errors at StartContainer", fields);
  }
  return err({ code: grpcCode.unknown, message: message ?? `failing container: ${text}` });
}

/** Logs the start of a container that the agent has not released and the fail check allows. */
export function allowStart(
  { log, metrics }: Pick<StartReports, "log" | "metrics">,
  start: ContainerStart,
  reason: StartReason,
  text: string,
  level: "warn" | "error" = "warn",
): Result<undefined, never> {
  const fields = { ...toFields(start), reason, err: text };
  metrics.countUnheld(reason);
  log[level]("container starts unheld: the fail check allows it", fields);
  return ok(undefined);
}
