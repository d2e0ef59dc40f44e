// SPDX-License-Identifier: Apache-2.0
// What becomes of one container at the event that stands for its start: held by the hook that is added to it, or here.

import { constants } from "node:fs";
import { access } from "node:fs/promises";
import {
  type AgentAddress,
  decideFailure,
  type FailRules,
  type HookLog,
  holdContainer,
} from "@rthooks/invocation";
import type { LogFields, Logger } from "@rthooks/log";
import { type NriCall, type TtrpcStatus, ttrpcCode } from "@rthooks/nri";
import type { Pod } from "@rthooks/oci";
import type { Container, ContainerAdjustment } from "@rthooks/proto/nri";
import { err, ok, type Result } from "@rthooks/result";
import type { WallTime } from "@rthooks/sys";
import { toInjectedHook } from "../core/injected-hook.ts";
import type { PluginOptions } from "../core/plugin-options.ts";
import { toDecisionMs } from "../core/runtime-mode.ts";
import { toRequest, toTrustedAnnotations } from "../wire/nri-pod.ts";
import type { AgentClient } from "./agent-client.ts";

export interface Decider {
  readonly options: PluginOptions;
  readonly address: AgentAddress;
  readonly rules: FailRules;
  readonly hookLog: HookLog;
  readonly log: Logger;
  readonly userAgent: string;
  readonly clock: Clock;
  client(): AgentClient;
}

export interface Clock {
  monotonicMs(): number;
  wallClock(): WallTime;
  sleep(ms: number): Promise<void>;
}

const denied = (message: string): Result<never, TtrpcStatus> => err({ code: ttrpcCode.unknown, message });

/** Adds the hook to the container. Where that cannot be done the fail check decides, as it would without an agent. */
export async function injectHook(
  decider: Decider,
  pod: Pod,
  container: Container,
): Promise<Result<Partial<ContainerAdjustment> | undefined, TtrpcStatus>> {
  const { options, log } = decider;
  const hook = toInjectedHook(options.hook, pod);
  const problem = hook.ok ? await findProblem(options.hook.localPath) : hook.error;
  if (hook.ok && problem === undefined) {
    const { path, args, env, timeoutSeconds } = hook.value;
    log.info("Added tetragon-oci-hook to container", toFields(pod, container));
    const timeout = { value: BigInt(timeoutSeconds) };
    return ok({ hooks: { createRuntime: [{ path, args, env, timeout }] } });
  }
  return settleWithoutAgent(decider, pod, container, problem ?? "no hook can be made for it");
}

/** What becomes of a container that nothing can hold: the fail check has the word, as it has without an agent. */
export function settleWithoutAgent(
  { rules, log }: Pick<Decider, "rules" | "log">,
  pod: Pod,
  container: Container,
  problem: string,
): Result<undefined, TtrpcStatus> {
  const fields = { ...toFields(pod, container), err: problem };
  const verdict = decideFailure(rules, toTrustedAnnotations(pod, container));
  if (verdict.allowed) {
    log.warn("container starts although nothing holds it", fields);
    return ok(undefined);
  }
  log.warn("container refused", { ...fields, "should-fail": verdict.denial });
  return denied(`failing container: ${problem}`);
}

/** Refuses a container for its size. The fail check has no say: what would start unheld are the containers after it. */
export function refuseTooLarge({ log }: Pick<Decider, "log">, pod: Pod, container: Container, bytes: number) {
  const problem =
    `its description takes ${bytes} bytes, and the runtime could not describe the containers of this node to a plugin ` +
    "that starts again: make its environment, arguments, annotations or labels smaller";
  log.warn("container refused", { ...toFields(pod, container), reason: "too-large", err: problem });
  return denied(`failing container: ${problem}`);
}

const toFields = (pod: Pod, container: Container): LogFields => ({
  namespace: pod.namespace,
  pod: pod.name,
  name: container.name,
  id: container.id,
});

async function findProblem(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK);
    return undefined;
  } catch {
    return `${path} is not there or cannot be executed: install tetragon-oci-hook`;
  }
}

/** Asks the agent and applies the fail check, always before the runtime goes on without an answer. */
export async function askAgent(
  decider: Decider,
  pod: Pod,
  container: Container,
  call: NriCall,
): Promise<Result<undefined, TtrpcStatus>> {
  const { options, clock, log } = decider;
  const config = options.hookConfig;
  const verdict = await holdContainer(
    {
      system: clock,
      config,
      address: decider.address,
      rules: decider.rules,
      log: decider.hookLog,
      userAgent: decider.userAgent,
      startedAtMs: call.receivedAtMs,
      deadlineMs: toDecisionMs(call, call.receivedAtMs, config["grpc-timeout"]),
      openLink: () => decider.client().openLink(),
    },
    {
      load: () => toRequest(pod, container, "nri"),
      trustedAnnotations: () => toTrustedAnnotations(pod, container),
    },
  );
  const fields = toFields(pod, container);
  if (verdict.allowed) {
    log.info("container released", fields);
    return ok(undefined);
  }
  log.warn("container refused", fields);
  return denied(verdict.message);
}
