// SPDX-License-Identifier: Apache-2.0
// Holds one container until the agent releases it: performs the effects of the hook machine. Used by the hook, and by the
// NRI plugin at StartContainer.

import { escapeUnprintable } from "@rthooks/log/escape-unprintable";
import type { LogFields } from "@rthooks/log/json-line";
import {
  type HookContext,
  type HookEffect,
  type HookEvent,
  type HookFailure,
  type HookInput,
  toHookContext,
} from "@rthooks/machines/hook";
import type { Inspect, InspectOptions } from "@rthooks/machines/inspection";
import { type Annotations, REPORT_SOURCE_KEY } from "@rthooks/oci";
import { encodeRuntimeHookRequest, type RuntimeHookMessage } from "@rthooks/proto/unary";
import { describeError, type Result } from "@rthooks/result";
import type { MaybePromise, System } from "@rthooks/sys";
import type { AgentAddress } from "../core/agent-address.ts";
import { decideFailure, type FailRules } from "../core/fail-check.ts";
import { renderFailure } from "../core/failure-text.ts";
import type { HookConfig } from "../core/hook-flags.ts";
import { createHookTrace } from "../core/hook-trace.ts";
import { CREATE_CONTAINER, renderTime, toRequestFields } from "../core/log-record.ts";
import type { AgentLink } from "./agent-link.ts";
import type { HookLog } from "./hook-log.ts";
import { type HookDriver, runHookMachine } from "./run-hook-machine.ts";

/** Provides the request and the annotations of the held container. */
export interface HeldContainer {
  /** The request for the agent; the error is a sentence for the log. */
  load(): MaybePromise<Result<RuntimeHookMessage, string>>;
  /** The annotations that the fail check trusts, as far as they are known; also after `load` failed. */
  trustedAnnotations(): Annotations;
  /** Annotations that a pod's author may have written: their namespaces can deny the container, but never allow it. */
  writtenAnnotations?(): Annotations;
  /** Additional fields for the log line of the request, after `load` succeeded. */
  remarks?(): LogFields;
  /** The container's id, as far as it is known; also after `load` failed. */
  containerId?(): string | undefined;
}

export interface HoldSetup {
  readonly system: Pick<System, "monotonicMs" | "sleep" | "wallClock">;
  readonly config: HookConfig;
  readonly address: AgentAddress;
  readonly rules: FailRules;
  readonly log: HookLog;
  readonly userAgent: string;
  /** When the runtime began to wait, on the system's monotonic clock. */
  readonly startedAtMs: number;
  /** Milliseconds from `startedAtMs`. */
  readonly deadlineMs: number;
  /** Where the hook machine is inspected. */
  readonly inspection?: InspectOptions | undefined;
  openLink(): MaybePromise<AgentLink>;
}

/** Why the agent has not released the container; `text` is a sentence for the log. */
export interface HoldFailure {
  readonly kind: HookFailure["kind"];
  readonly text: string;
}

export type HoldResult =
  /** With a failure if the fail check allowed the container. */
  | { readonly allowed: true; readonly failure: HoldFailure | undefined }
  | {
      readonly allowed: false;
      readonly failure: HoldFailure;
      /** The fail check's reason. */
      readonly failCheckReason: string;
      /** The error that the runtime shows. */
      readonly message: string;
    };

export async function holdContainer(setup: HoldSetup, container: HeldContainer): Promise<HoldResult> {
  const { system, config, address, rules, log, startedAtMs, deadlineMs } = setup;
  const stage: LogFields = { hook: CREATE_CONTAINER, "start-time": renderTime(system.wallClock()) };
  let request: RuntimeHookMessage | undefined;
  let link: AgentLink | undefined;
  let message = "";
  let failCheckReason = "";
  let failed: HoldFailure | undefined;

  const requestFields = (): LogFields =>
    request === undefined
      ? {}
      : { ...toRequestFields(request, config["log-level"]), ...container.remarks?.() };

  const nowMs = (): number => system.monotonicMs() - startedAtMs;
  const trace = config["log-level"] === "debug" ? createHookTrace(nowMs) : undefined;
  /** At level debug the last line of a hold says whose it is, how it ended, and how it came to that. */
  const endFields = (outcome: string, failure?: HookFailure): LogFields => {
    if (trace === undefined) return {};
    const own = request === undefined ? { "req-containerID": container.containerId?.() } : requestFields();
    return { ...own, ...trace.fields(outcome, failure?.kind) };
  };

  const load = async (): Promise<HookEvent> => {
    const loaded = await container.load();
    if (!loaded.ok) return { type: "spec.failed", failure: { kind: "spec", reason: loaded.error } };
    request = loaded.value;
    return { type: "spec.loaded" };
  };

  const connect = async (): Promise<HookEvent | undefined> => {
    if (request === undefined) return undefined;
    link ??= await setup.openLink();
    return link.connect({
      path: "/tetragon.FineGuidanceSensors/RuntimeHook",
      message: encodeRuntimeHookRequest(request),
      userAgent: setup.userAgent,
      // Code that adds the reserved keys has removed them from the spec's annotations before.
      isTrusted: request.annotations.has(REPORT_SOURCE_KEY),
      deadlineAtMs: startedAtMs + deadlineMs,
    });
  };

  const check = (): HookEvent => {
    const verdict = decideFailure(rules, container.trustedAnnotations(), container.writtenAnnotations?.());
    return verdict.allowed ? { type: "check.allowed" } : { type: "check.denied", denial: verdict.denial };
  };

  const renderCause = (failure: HookFailure | undefined): string =>
    failure === undefined ? "" : renderFailure(failure, address.text);
  const reportFailure = ({ failure }: HookContext): Promise<void> => {
    const text = renderCause(failure);
    failed = failure && { kind: failure.kind, text };
    return failure?.kind === "spec"
      ? log.write("warn", "failed to read spec file", { ...stage, err: text })
      : log.write("warn", "hook request to the agent failed", { ...stage, ...requestFields(), err: text });
  };

  const reportDenied = async (context: HookContext): Promise<void> => {
    const text = renderCause(context.failure);
    await log.write("warn", "failing container", {
      ...stage,
      "should-fail": context.denial ?? "",
      error: text,
      ...endFields("denied", context.failure),
    });
    const where = log.path === "" ? "standard error" : log.path;
    failCheckReason = context.denial ?? "";
    // `kubectl describe pod` prints it to a terminal, and a pod's author chooses the names in it.
    message = escapeUnprintable(`failing container: ${text}. Check logs (${where}) for additional info`);
  };

  const perform = async (effect: HookEffect, context: HookContext): Promise<HookEvent | undefined> => {
    switch (effect) {
      case "load":
        return load();
      case "connect":
        return connect();
      case "check":
        return check();
      case "disconnect":
        link?.disconnect();
        return undefined;
      case "reportSuccess":
        await log.write("info", "hook request to agent succeeded", {
          ...stage,
          ...requestFields(),
          ...endFields("succeeded"),
        });
        return undefined;
      case "reportSkipped":
        await log.write("info", "gRPC was disabled, so will not be contacting the agent", {
          ...stage,
          ...requestFields(),
          ...endFields("skipped", context.failure),
        });
        return undefined;
      case "reportFailure":
        await reportFailure(context);
        return undefined;
      case "reportAllowed":
        await log.write(
          "info",
          "failCheck determined that we should not fail this container, even if there was an error",
          { ...stage, ...endFields("allowed", context.failure), err: trace && renderCause(context.failure) },
        );
        return undefined;
      case "reportDenied":
        await reportDenied(context);
        return undefined;
    }
  };

  /** Applies the fail check after an unexpected error, too. */
  const settle = async (error: unknown): Promise<boolean> => {
    link?.disconnect();
    const broken: HookContext = {
      ...toHookContext(input),
      failure: { kind: "refused", reason: `internal error: ${describeError(error)}` },
    };
    await reportFailure(broken);
    const event = check();
    await perform(event.type === "check.allowed" ? "reportAllowed" : "reportDenied", {
      ...broken,
      denial: "denial" in event ? event.denial : undefined,
    });
    return event.type === "check.allowed";
  };

  const input: HookInput = {
    deadlineMs,
    allowedTimeoutMs: config["grpc-timeout-allowed"],
    grpcDisabled: config["disable-grpc"],
  };
  const driver: HookDriver = {
    nowMs,
    perform,
    async wait(untilMs) {
      const untilAtMs = startedAtMs + untilMs;
      if (link !== undefined) return link.wait(untilAtMs);
      await system.sleep(untilAtMs - system.monotonicMs());
      return undefined;
    },
  };
  let allowed: boolean;
  try {
    allowed = await runHookMachine(input, driver, inspectBoth(setup.inspection, trace?.inspect));
  } catch (error) {
    allowed = await settle(error);
  }
  if (allowed) return { allowed, failure: failed };
  return { allowed, failure: failed ?? { kind: "refused", text: message }, failCheckReason, message };
}

function inspectBoth(
  inspection: InspectOptions | undefined,
  trace: Inspect | undefined,
): InspectOptions | undefined {
  if (trace === undefined) return inspection;
  if (inspection === undefined) return { id: "hook", inspect: trace };
  return {
    id: inspection.id,
    inspect(inspected) {
      inspection.inspect(inspected);
      trace(inspected);
    },
  };
}
