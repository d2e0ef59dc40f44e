// SPDX-License-Identifier: Apache-2.0
// What a RuntimeHook request does: it is parsed, waits for its pod, and goes to the container's lifecycle.

import { type Logger, nowNanos } from "@rthooks/log";
import type { ContainerReport } from "@rthooks/machines/pod";
import { describeError, err, type Result } from "@rthooks/result";
import type { AgentMetrics, AwaitedIdentity } from "../../base/core/agent-metrics.ts";
import type { CallSource } from "../../base/core/call-metrics.ts";
import type { Refusal, RefusalKind } from "../../base/core/refusal.ts";
import { parseHookRequest, toRefusedReport } from "../../containers/core/hook-request.ts";
import type { Lifecycle } from "../../containers/core/lifecycle.ts";
import type { StartObserver } from "../../containers/core/start-observer.ts";
import type { OnAnswer } from "../../containers/core/waiting-callers.ts";
import type { PodQuery } from "../../pods/core/pod-source.ts";
import type { OnHookRequest } from "../wire/runtime-hook-service.ts";

export interface RuntimeHookOptions {
  readonly lifecycle: Lifecycle;
  /**
   * Resolves when the pod is known, or cannot be, in time for the caller to get the answer; undefined where there is
   * nothing to wait for. `deadlineMs`: Unix time, or Infinity.
   */
  awaitPod(query: PodQuery, deadlineMs: number): Promise<Result<AwaitedIdentity, Refusal>> | undefined;
  readonly starts: Pick<StartObserver, "begin" | "refused">;
  readonly metrics: AgentMetrics;
  readonly log: Logger;
  onBug(error: unknown): void;
  /** Returns the function that ends the call. */
  beginCall(): () => void;
}

export function createRuntimeHook(options: RuntimeHookOptions): OnHookRequest {
  const { lifecycle, awaitPod, starts, metrics, log, onBug, beginCall } = options;

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
    const startedMs = performance.now();
    waiting
      .then((known) => {
        const endedMs = performance.now();
        metrics.observeIdentityWait(known.ok ? known.value : "none", (endedMs - startedMs) / 1000);
        const waited = { ...report, podWait: { startedMs, endedMs } };
        if (known.ok) return lifecycle.report(waited, onAnswer);
        if (known.error.kind === "pod-unknown") metrics.countPodUnknown();
        onAnswer(known.error);
        lifecycle.recordRefusal(waited, known.error);
      })
      .catch((error: unknown) => {
        onBug(error);
        onAnswer({ kind: "internal", message: describeError(error) });
      });
  };

  return (request, deadlineMs, answer) => {
    const beganMs = performance.now();
    const observe = (source: CallSource, outcome: "ok" | RefusalKind): void =>
      metrics.observeHook(source, outcome, (performance.now() - beganMs) / 1000);
    const seenAtNanos = nowNanos();
    const parsed =
      request === undefined ? unknownEvent : parseHookRequest(request, seenAtNanos, deadlineMs, beganMs);
    if (!parsed.ok) {
      const { kind, message } = parsed.error;
      observe("unknown", kind);
      log.warn("hook call refused", { reason: kind, err: message });
      if (request !== undefined) starts.refused(request, parsed.error);
      answer(parsed.error);
      const refused = request && toRefusedReport(request, seenAtNanos, beganMs);
      if (refused !== undefined) lifecycle.recordRefusal(refused, parsed.error);
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
    const settle = starts.begin(report);
    try {
      reportContainer(report, (refusal) => {
        end();
        settle(refusal);
        observe(report.source, refusal?.kind ?? "ok");
        answer(refusal);
      });
    } catch (error) {
      end();
      settle(undefined);
      observe(report.source, "internal");
      throw error;
    }
  };
}

const unknownEvent = err<Refusal>({
  kind: "bad-request",
  message: "RuntimeHook: the request carries no event that this agent knows (createContainer)",
});
