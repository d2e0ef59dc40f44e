// SPDX-License-Identifier: Apache-2.0
// The call for which containers wait.

import { type Logger, nowNanos } from "@rthooks/log";
import type { ContainerReport } from "@rthooks/machines/pod";
import { TRUSTED_HEADER } from "@rthooks/oci";
import { FineGuidanceSensorsDefinition } from "@rthooks/proto";
import { grpcCode } from "@rthooks/proto/grpc-code";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { AgentMetrics } from "../../base/core/agent-metrics.ts";
import type { Refusal, RefusalKind } from "../../base/core/refusal.ts";
import type { Registrar } from "../../base/wire/serve-reads-only.ts";
import { registerUnary } from "../../base/wire/service.ts";
import { parseHookRequest } from "../../containers/core/hook-request.ts";
import type { Lifecycle, OnAnswer } from "../../containers/core/lifecycle.ts";
import type { PodQuery } from "../../pods/core/pod-source.ts";
import { toHookRequest, toWireError } from "../wire/messages.ts";

export interface RuntimeHookOptions {
  readonly lifecycle: Lifecycle;
  /**
   * Resolves when the pod is known, or cannot be, in time for the caller to get the answer; undefined where there is
   * nothing to wait for. `deadlineMs`: Unix time, or Infinity.
   */
  awaitPod(query: PodQuery, deadlineMs: number): Promise<Result<void, Refusal>> | undefined;
  readonly metrics: AgentMetrics;
  readonly log: Logger;
  onBug(error: unknown): void;
  /** Gives the function that ends it. */
  beginCall(): () => void;
}

export function registerRuntimeHook(to: Registrar, options: RuntimeHookOptions): void {
  const { lifecycle, awaitPod, metrics, log, onBug, beginCall } = options;
  const service = FineGuidanceSensorsDefinition;

  const countMissingFields = ({ containerName, image }: ContainerReport): void => {
    if (containerName === "") metrics.countMissing("name");
    if (image === "") metrics.countMissing("image");
  };

  /** Reports the container once its pod is known. Calls `onAnswer` exactly once. */
  const reportContainer = (report: ContainerReport, onAnswer: OnAnswer): void => {
    const query = { uid: report.podUid, namespace: report.podNamespace, name: report.podName };
    // Labels from the runtime need no confirmation by the pod source.
    const waiting = report.podLabels === undefined ? awaitPod(query, report.answerByMs) : undefined;
    if (waiting === undefined) {
      lifecycle.report(report, onAnswer);
      return;
    }
    waiting
      .then((known) => (known.ok ? lifecycle.report(report, onAnswer) : onAnswer(known.error)))
      .catch((error: unknown) => {
        onBug(error);
        onAnswer({ kind: "internal", message: describeError(error) });
      });
  };

  registerUnary(
    to,
    service,
    service.methods.runtimeHook,
    ({ event }, answer, { metadata, deadlineMs }) => {
      const beganMs = performance.now();
      const observe = (outcome: "ok" | RefusalKind): void =>
        metrics.observeHook(outcome, (performance.now() - beganMs) / 1000);
      if (event === undefined) {
        observe("bad-request");
        const details = "RuntimeHook: the request carries no event that this agent knows (createContainer)";
        log.warn("hook call refused", { reason: "bad-request", err: details });
        answer(err({ code: grpcCode.invalidArgument, details }));
        return;
      }
      const isTrusted = metadata.get(TRUSTED_HEADER)[0] === "1";
      const request = toHookRequest(event.createContainer, isTrusted);
      const parsed = parseHookRequest(request, nowNanos(), deadlineMs);
      if (!parsed.ok) {
        observe(parsed.error.kind);
        log.warn("hook call refused", { reason: parsed.error.kind, err: parsed.error.message });
        answer(err(toWireError(parsed.error)));
        return;
      }
      const { report, correction } = parsed.value;
      countMissingFields(report);
      if (correction !== undefined) {
        log.warn("hook call corrected: using the pod of its cgroup path", {
          containerID: report.containerId,
          err: correction,
        });
      }
      const end = beginCall();
      try {
        reportContainer(report, (refusal) => {
          end();
          observe(refusal?.kind ?? "ok");
          answer(refusal === undefined ? ok({}) : err(toWireError(refusal)));
        });
      } catch (error) {
        end();
        throw error;
      }
    },
    onBug,
  );
}
