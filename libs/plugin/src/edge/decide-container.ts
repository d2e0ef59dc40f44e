// SPDX-License-Identifier: Apache-2.0
// The decision about one container at CreateContainer (inject the hook) or StartContainer (ask the agent).

import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { formatDuration } from "@rthooks/flags";
import {
  type AgentAddress,
  decideFailure,
  type FailRules,
  type HoldFailure,
  type HookLog,
  holdContainer,
} from "@rthooks/hold";
import type { Logger } from "@rthooks/log";
import type { Inspect } from "@rthooks/machines/inspection";
import type { NriAdjustment, NriCall, TtrpcStatus } from "@rthooks/nri";
import type { NriPod } from "@rthooks/oci";
import { grpcCode } from "@rthooks/proto/grpc-code";
import { err, ok, type Result } from "@rthooks/result";
import type { WallTime } from "@rthooks/sys";
import { toInjectedHook } from "../core/injected-hook.ts";
import type { Metrics, StartReason } from "../core/metrics.ts";
import type { PluginOptions } from "../core/plugin-options.ts";
import { toDecisionMs } from "../core/runtime-mode.ts";
import { toRequest, toTrustedAnnotations } from "../wire/nri-pod.ts";
import type { AgentClient } from "./agent-client.ts";
import { allowStart, type ContainerStart, deny, type StartReports, toFields } from "./container-start.ts";
import type { FindCgroupPath } from "./find-cgroup-path.ts";

export interface Decider {
  readonly options: PluginOptions;
  readonly address: AgentAddress;
  readonly rules: FailRules;
  readonly hookLog: HookLog;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, "countUnheld" | "countDenied" | "observeHold">;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly findCgroupPath: FindCgroupPath;
  /** Inspects the hook machine of each container that the plugin holds. */
  readonly inspect?: Inspect | undefined;
  client(): AgentClient;
  /** Reports to the agent why this plugin denied a container. */
  reportRefused(containerId: string, reason: string): void;
}

export interface Clock {
  monotonicMs(): number;
  wallClock(): WallTime;
  sleep(ms: number): Promise<void>;
}

/** Adds the hook to the container. Where that is not possible, the fail check decides. */
export async function injectHook(
  decider: Decider,
  start: ContainerStart,
): Promise<Result<NriAdjustment | undefined, TtrpcStatus>> {
  const { options, log } = decider;
  const hook = toInjectedHook(options.hook, start.pod);
  const problem = hook.ok ? await findProblem(options.hook.localPath) : hook.error;
  if (hook.ok && problem === undefined) {
    const { path, args, env, timeoutSeconds } = hook.value;
    log.info("Added tetragon-oci-hook to container", toFields(start));
    const timeout = { value: BigInt(timeoutSeconds) };
    return ok({ hooks: { createRuntime: [{ path, args, env, timeout }] } });
  }
  return applyFailCheck(decider, start, "no-hook", problem ?? "the hook cannot be rendered");
}

/** Applies the fail check to a container that cannot be held, with the reason why it cannot. */
export function applyFailCheck(
  decider: Pick<Decider, "rules"> & StartReports,
  start: ContainerStart,
  reason: StartReason,
  text: string,
): Result<undefined, TtrpcStatus> {
  const { pod, container, handler } = start;
  const verdict = decideFailure(decider.rules, toTrustedAnnotations(pod, container, handler));
  return verdict.allowed
    ? allowStart(decider, start, reason, text)
    : deny(decider, start, { reason, text, failCheckReason: verdict.denial });
}

/** Denies a container for its size, without the fail check: it would make later containers start unheld. */
export const denyTooLarge = (
  decider: StartReports,
  start: ContainerStart,
  bytes: number,
): Result<never, TtrpcStatus> =>
  deny(decider, start, {
    reason: "too-large",
    text:
      `the container takes ${bytes} bytes in NRI, and the runtime could no longer list all containers of this node in a ` +
      "synchronization: make its environment, arguments, annotations or labels smaller",
  });

/** Denies a pod sandbox for the size of its labels and annotations. */
export function denyPod(log: Logger, pod: NriPod, bytes: number): Result<never, TtrpcStatus> {
  const problem =
    `the pod takes ${bytes} bytes in NRI, and the runtime could no longer list all pods of this node in a ` +
    "synchronization: make its labels or annotations smaller";
  log.warn("pod denied", { namespace: pod.namespace, pod: pod.name, reason: "too-large", err: problem });
  return err({ code: grpcCode.unknown, message: `failing pod: ${problem}` });
}

async function findProblem(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK);
    return undefined;
  } catch {
    return `${path} does not exist or is not executable: install tetragon-oci-hook`;
  }
}

const silentLog: HookLog = { path: "", write: async () => {} };

/** Wait for an unreachable agent, for a container that the fail check allows and whose hook has waited already. */
const PATIENCE_AFTER_HOOK_MS = 50;

/**
 * Holds the container in the plugin: calls the agent and applies the fail check, within the runtime's deadline. The hook's
 * log gets no line where the container has a hook, since the hook writes its own.
 */
export async function askAgent(
  decider: Decider,
  start: ContainerStart,
  call: NriCall,
  place: "without a hook" | "after its hook" | "in its hook's place" = "without a hook",
): Promise<Result<undefined, TtrpcStatus>> {
  const { options, clock, log } = decider;
  const hasHook = place !== "without a hook";
  const { pod, container, handler } = start;
  const patienceMs = options.hookConfig["grpc-timeout-allowed"];
  const config = {
    ...options.hookConfig,
    "grpc-timeout-allowed":
      place === "after its hook" ? Math.min(PATIENCE_AFTER_HOOK_MS, patienceMs) : patienceMs,
  };
  const deadlineMs = toDecisionMs(call, call.receivedAtMs, config["grpc-timeout"]);
  const verdict = await holdContainer(
    {
      system: clock,
      config,
      address: decider.address,
      rules: decider.rules,
      log: hasHook ? silentLog : decider.hookLog,
      userAgent: decider.userAgent,
      startedAtMs: call.receivedAtMs,
      deadlineMs,
      inspection: decider.inspect && { id: `hook:${container.id}`, inspect: decider.inspect },
      openLink: () => decider.client().openLink(),
    },
    {
      load: () => toRequest(pod, container, "nri", decider.findCgroupPath),
      trustedAnnotations: () => toTrustedAnnotations(pod, container, handler),
      containerId: () => container.id,
    },
  );
  const outcome = verdict.allowed ? (verdict.failure === undefined ? "released" : "unheld") : "denied";
  decider.metrics.observeHold(outcome, (clock.monotonicMs() - call.receivedAtMs) / 1000);
  if (!verdict.allowed) {
    const { failure, failCheckReason, message } = verdict;
    const hint = findHint(failure, deadlineMs, config["grpc-timeout"]);
    return deny(decider, start, {
      reason: failure.kind,
      text: failure.text + hint,
      failCheckReason,
      message: message + hint,
    });
  }
  if (verdict.failure !== undefined) {
    const { kind, text } = verdict.failure;
    return allowStart(decider, start, kind, text, hasHook ? "error" : "warn");
  }
  log.info("container released", toFields(start));
  return ok(undefined);
}

/** A hint where the runtime's deadline was shorter than --grpc-timeout. */
function findHint({ kind }: HoldFailure, deadlineMs: number, grpcTimeoutMs: number): string {
  return kind === "deadline" && deadlineMs < grpcTimeoutMs
    ? ` (no answer from the agent within ${formatDuration(Math.round(deadlineMs))}, the limit that the runtime's ` +
        "plugin_request_timeout sets)"
    : "";
}
