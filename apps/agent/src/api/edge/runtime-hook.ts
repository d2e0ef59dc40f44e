// SPDX-License-Identifier: Apache-2.0
// The call for which containers wait.

import { type Logger, nowNanos } from "@rthooks/log";
import { TRUSTED_HEADER } from "@rthooks/oci";
import { FineGuidanceSensorsDefinition } from "@rthooks/proto";
import { grpcCode } from "@rthooks/proto/grpc-code";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { AgentMetrics } from "../../base/core/agent-metrics.ts";
import type { Refusal, RefusalKind } from "../../base/core/refusal.ts";
import type { Registrar } from "../../base/wire/serve-reads-only.ts";
import { registerUnary } from "../../base/wire/service.ts";
import { type HookCall, parseHookCall } from "../../containers/core/hook-call.ts";
import type { Lifecycle } from "../../containers/core/lifecycle.ts";
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

  const noteCall = ({ disbelieved, report }: HookCall): void => {
    const { containerName, image, containerId } = report;
    if (containerName === "") metrics.countMissing("name");
    if (image === "") metrics.countMissing("image");
    if (disbelieved === undefined) return;
    log.warn("hook call corrected: its pod is that of its cgroup", {
      containerID: containerId,
      err: disbelieved,
    });
  };

  /** Once the pod is known; `onAnswer` is called once, whatever happens. */
  const hold = (
    call: HookCall,
    deadlineMs: number,
    onAnswer: (refusal: Refusal | undefined) => void,
  ): void => {
    const { podUid: uid, report } = call;
    const query = { uid, namespace: report.podNamespace, name: report.podName };
    // Labels from the runtime need no confirmation by the pod source.
    const waiting = report.podLabels === undefined ? awaitPod(query, deadlineMs) : undefined;
    if (waiting === undefined) {
      lifecycle.report(call, onAnswer);
      return;
    }
    waiting
      .then((known) => (known.ok ? lifecycle.report(call, onAnswer) : onAnswer(known.error)))
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
      const call = parseHookCall(toHookRequest(event.createContainer, isTrusted), nowNanos(), deadlineMs);
      if (!call.ok) {
        observe(call.error.kind);
        log.warn("hook call refused", { reason: call.error.kind, err: call.error.message });
        answer(err(toWireError(call.error)));
        return;
      }
      noteCall(call.value);
      const end = beginCall();
      try {
        hold(call.value, deadlineMs, (refusal) => {
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
