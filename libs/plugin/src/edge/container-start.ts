// SPDX-License-Identifier: Apache-2.0
// A container at the event that stands for its start, and the words for what becomes of it.

import type { LogFields, Logger } from "@rthooks/log";
import type { TtrpcStatus } from "@rthooks/nri";
import type { Pod } from "@rthooks/oci";
import { grpcCode } from "@rthooks/proto/grpc-code";
import type { Container } from "@rthooks/proto/nri";
import { err, ok, type Result } from "@rthooks/result";

export interface ContainerStart {
  readonly pod: Pod;
  readonly container: Container;
  /** The runtime's handler (a RuntimeClass' `handler`); empty for its default one. */
  readonly handler: string;
  /** Whether the runtime keeps a container from starting that is refused at this event. */
  readonly isBinding: boolean;
}

export interface Refusal {
  /** One word for log and metrics. */
  readonly reason: string;
  /** One line for people. */
  readonly text: string;
  /** The fail check's reason, where it had the word. */
  readonly denial?: string;
  /** What the runtime shows its user, if more than the text. */
  readonly message?: string;
}

export const toFields = ({ pod, container, handler }: ContainerStart): LogFields => ({
  namespace: pod.namespace,
  pod: pod.name,
  name: container.name,
  id: container.id,
  handler: handler === "" ? undefined : handler,
});

/** The answer to the runtime; `reportRefused` takes the reason to the agent, for those that look there. */
export function refuse(
  { log, reportRefused }: { readonly log: Logger; reportRefused(containerId: string, reason: string): void },
  start: ContainerStart,
  { reason, text, denial, message }: Refusal,
): Result<never, TtrpcStatus> {
  const fields = { ...toFields(start), reason, err: text, "should-fail": denial };
  if (start.isBinding) {
    log.warn("container refused", fields);
    reportRefused(start.container.id, text);
  } else {
    log.error(
      "container runs although it was refused: this runtime does not heed a plugin at StartContainer",
      fields,
    );
  }
  return err({ code: grpcCode.unknown, message: message ?? `failing container: ${text}` });
}

/** The fail check lets a container start that the agent has not let go. */
export function letStart(
  log: Logger,
  start: ContainerStart,
  reason: string,
  text: string,
  level: "warn" | "error" = "warn",
): Result<undefined, never> {
  const fields = { ...toFields(start), reason, err: text };
  log[level]("container starts although nothing holds it: the fail check lets it", fields);
  return ok(undefined);
}
