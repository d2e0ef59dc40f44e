// SPDX-License-Identifier: Apache-2.0
// What becomes of one container at the event that stands for its start: held by the hook that is added to it, or here.

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
import type { NriCall, TtrpcStatus } from "@rthooks/nri";
import type { Pod } from "@rthooks/oci";
import { grpcCode } from "@rthooks/proto/grpc-code";
import type { ContainerAdjustment } from "@rthooks/proto/nri";
import { err, ok, type Result } from "@rthooks/result";
import type { WallTime } from "@rthooks/sys";
import { toInjectedHook } from "../core/injected-hook.ts";
import type { PluginOptions } from "../core/plugin-options.ts";
import { toDecisionMs } from "../core/runtime-mode.ts";
import { toRequest, toTrustedAnnotations } from "../wire/nri-pod.ts";
import type { AgentClient } from "./agent-client.ts";
import { type ContainerStart, letStart, refuse, toFields } from "./container-start.ts";
import type { FindCgroupPath } from "./find-cgroup-path.ts";

export interface Decider {
  readonly options: PluginOptions;
  readonly address: AgentAddress;
  readonly rules: FailRules;
  readonly hookLog: HookLog;
  readonly log: Logger;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly findCgroupPath: FindCgroupPath;
  client(): AgentClient;
  /** Tells the agent why this plugin refused a container. */
  reportRefused(containerId: string, reason: string): void;
}

export interface Clock {
  monotonicMs(): number;
  wallClock(): WallTime;
  sleep(ms: number): Promise<void>;
}

/** Adds the hook to the container. Where that cannot be done the fail check decides, as it would without an agent. */
export async function injectHook(
  decider: Decider,
  start: ContainerStart,
): Promise<Result<Partial<ContainerAdjustment> | undefined, TtrpcStatus>> {
  const { options, log } = decider;
  const hook = toInjectedHook(options.hook, start.pod);
  const problem = hook.ok ? await findProblem(options.hook.localPath) : hook.error;
  if (hook.ok && problem === undefined) {
    const { path, args, env, timeoutSeconds } = hook.value;
    log.info("Added tetragon-oci-hook to container", toFields(start));
    const timeout = { value: BigInt(timeoutSeconds) };
    return ok({ hooks: { createRuntime: [{ path, args, env, timeout }] } });
  }
  return settleWithoutAgent(decider, start, "no-hook", problem ?? "no hook can be made for it");
}

/** What becomes of a container that nothing can hold: the fail check has the word, as it has without an agent. */
export function settleWithoutAgent(
  decider: Pick<Decider, "rules" | "log" | "reportRefused">,
  start: ContainerStart,
  reason: string,
  text: string,
): Result<undefined, TtrpcStatus> {
  const { pod, container, handler } = start;
  const verdict = decideFailure(decider.rules, toTrustedAnnotations(pod, container, handler));
  return verdict.allowed
    ? letStart(decider.log, start, reason, text)
    : refuse(decider, start, { reason, text, denial: verdict.denial });
}

/** Refuses a container for its size. The fail check has no say: what would start unheld are the containers after it. */
export const refuseTooLarge = (
  decider: Pick<Decider, "log" | "reportRefused">,
  start: ContainerStart,
  bytes: number,
): Result<never, TtrpcStatus> =>
  refuse(decider, start, {
    reason: "too-large",
    text:
      `its description takes ${bytes} bytes, and the runtime could not describe the containers of this node to a plugin ` +
      "that starts again: make its environment, arguments, annotations or labels smaller",
  });

/** Likewise a pod, for its labels and annotations. */
export function refusePod(log: Logger, pod: Pod, bytes: number): Result<never, TtrpcStatus> {
  const problem =
    `its description takes ${bytes} bytes, and the runtime could not describe the pods of this node to a plugin that ` +
    "starts again: make its labels or annotations smaller";
  log.warn("pod refused", { namespace: pod.namespace, pod: pod.name, reason: "too-large", err: problem });
  return err({ code: grpcCode.unknown, message: `failing pod: ${problem}` });
}

async function findProblem(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK);
    return undefined;
  } catch {
    return `${path} is not there or cannot be executed: install tetragon-oci-hook`;
  }
}

const silentLog: HookLog = { path: "", write: async () => {} };

/** For a container that the fail check lets start, after its hook has waited for an agent that is away. */
const PATIENCE_AFTER_HOOK_MS = 50;

/**
 * Asks the agent and applies the fail check, always before the runtime goes on without an answer. Where the container has
 * a hook, that was to ask, and has a log of its own.
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
      openLink: () => decider.client().openLink(),
    },
    {
      load: () => toRequest(pod, container, "nri", decider.findCgroupPath),
      trustedAnnotations: () => toTrustedAnnotations(pod, container, handler),
    },
  );
  if (!verdict.allowed) {
    const { failure, denial, message } = verdict;
    const hint = findHint(failure, deadlineMs, config["grpc-timeout"]);
    return refuse(decider, start, {
      reason: failure.kind,
      text: failure.text + hint,
      denial,
      message: message + hint,
    });
  }
  if (verdict.failure !== undefined) {
    const { kind, text } = verdict.failure;
    return letStart(log, start, kind, text, hasHook ? "error" : "warn");
  }
  log.info("container released", toFields(start));
  return ok(undefined);
}

/** A deadline that the runtime set is shorter than the one that was configured here. */
function findHint({ kind }: HoldFailure, deadlineMs: number, grpcTimeoutMs: number): string {
  return kind === "deadline" && deadlineMs < grpcTimeoutMs
    ? ` (no answer from the agent within ${formatDuration(Math.round(deadlineMs))}, as long as the runtime waits for a plugin: ` +
        "plugin_request_timeout)"
    : "";
}
