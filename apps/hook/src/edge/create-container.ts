// SPDX-License-Identifier: Apache-2.0
// The stages that hold a container: what the hook machine asks for, done.

import {
  type HookContext,
  type HookEffect,
  type HookEvent,
  type HookInput,
  toHookContext,
} from "@rthooks/machines/hook";
import { type ContainerState, parseState } from "@rthooks/oci";
import { encodeRuntimeHookRequest } from "@rthooks/proto/unary";
import { describeError } from "@rthooks/result";
import type { System } from "@rthooks/sys";
import type { AgentAddress } from "../core/agent-address.ts";
import { decideFailure, type FailRules } from "../core/fail-check.ts";
import { renderFailure } from "../core/failure-text.ts";
import type { HookConfig } from "../core/hook-flags.ts";
import { CREATE_CONTAINER, type LogFields, renderTime, toRequestFields } from "../core/log-record.ts";
import { type Located, type Request, toRequest, toTrustedAnnotations } from "../core/request.ts";
import type { AgentLink } from "./agent-link.ts";
import type { HookLog } from "./hook-log.ts";
import { runInvocation, type World } from "./invocation.ts";
import { openAgentLink } from "./open-agent-link.ts";
import { findCgroup, locateSpec, MAX_STATE_BYTES, STATE_WAIT_MS } from "./spec-source.ts";

export interface HookSetup {
  readonly system: System;
  readonly config: HookConfig;
  readonly address: AgentAddress;
  readonly rules: FailRules;
  readonly log: HookLog;
  readonly userAgent: string;
}

/** Holds the container until the agent knows it; whether it may start. */
export async function createContainer(setup: HookSetup): Promise<boolean> {
  const { system, config, address, rules, log } = setup;
  const deadlineMs = config["grpc-timeout"];
  const stage: LogFields = { hook: CREATE_CONTAINER, "start-time": renderTime(system.wallClock()) };
  let state: ContainerState | undefined;
  let located: Located | undefined;
  let request: Request | undefined;
  let link: AgentLink | undefined;

  const requestFields = (): LogFields =>
    request === undefined ? {} : toRequestFields(request, config["log-level"]);

  const load = async (): Promise<HookEvent> => {
    const leftMs = deadlineMs - system.monotonicMs();
    const stdin = await system.readStdin(leftMs < STATE_WAIT_MS ? leftMs : STATE_WAIT_MS, MAX_STATE_BYTES);
    state = parseState(stdin);
    const found = locateSpec(system, state);
    if (!found.ok) return { type: "spec.failed", failure: { kind: "spec", reason: found.error } };
    located = found.value;
    const made = toRequest(located, (pid) => findCgroup(system, pid));
    if (!made.ok) return { type: "spec.failed", failure: { kind: "spec", reason: made.error } };
    request = made.value;
    return { type: "spec.loaded" };
  };

  const connect = async (): Promise<HookEvent | undefined> => {
    if (request === undefined) return undefined;
    link ??= await openAgentLink(system, address, config);
    return link.connect({
      path: "/tetragon.FineGuidanceSensors/RuntimeHook",
      message: encodeRuntimeHookRequest(request),
      userAgent: setup.userAgent,
      deadlineAtMs: deadlineMs,
    });
  };

  const check = (): HookEvent => {
    const annotations = toTrustedAnnotations(located?.spec, located?.bundle, state);
    const verdict = decideFailure(rules, annotations);
    return verdict.allowed ? { type: "check.allowed" } : { type: "check.denied", denial: verdict.denial };
  };

  const reportFailure = ({ failure }: HookContext): Promise<void> => {
    const text = failure === undefined ? "" : renderFailure(failure, address.text);
    return failure?.kind === "spec"
      ? log.write("WARN", "failed to read spec file", { ...stage, err: text })
      : log.write("WARN", "hook request to the agent failed", { ...stage, ...requestFields(), err: text });
  };

  const reportDenied = async ({ failure, denial }: HookContext): Promise<void> => {
    const text = failure === undefined ? "" : renderFailure(failure, address.text);
    await log.write("WARN", "failing container", { ...stage, "should-fail": denial ?? "", error: text });
    const where = log.path === "" ? "standard error" : log.path;
    system.writeStderr(`failing container: ${text}. Check logs (${where}) for additional info\n`);
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
        await log.write("INFO", "hook request to agent succeeded", { ...stage, ...requestFields() });
        return undefined;
      case "reportSkipped":
        await log.write("INFO", "gRPC was disabled, so will not be contacting the agent", {
          ...stage,
          ...requestFields(),
        });
        return undefined;
      case "reportFailure":
        await reportFailure(context);
        return undefined;
      case "reportAllowed":
        await log.write(
          "INFO",
          "failCheck determined that we should not fail this container, even if there was an error",
          stage,
        );
        return undefined;
      case "reportDenied":
        await reportDenied(context);
        return undefined;
    }
  };

  /** An error that no one foresaw leaves the container to failCheck like any other. */
  const settle = async (error: unknown): Promise<boolean> => {
    link?.disconnect();
    const text = `internal error: ${describeError(error)}`;
    const failed: HookContext = {
      ...toHookContext(input),
      failure: { kind: "refused", reason: text },
    };
    await reportFailure(failed);
    const event = check();
    await perform(event.type === "check.allowed" ? "reportAllowed" : "reportDenied", {
      ...failed,
      denial: "denial" in event ? event.denial : undefined,
    });
    return event.type === "check.allowed";
  };

  const input: HookInput = {
    deadlineMs,
    patienceMs: config["grpc-timeout-allowed"],
    grpcDisabled: config["disable-grpc"],
  };
  const world: World = {
    nowMs: () => system.monotonicMs(),
    perform,
    async wait(untilMs) {
      if (link !== undefined) return link.wait(untilMs);
      await system.sleep(untilMs - system.monotonicMs());
      return undefined;
    },
  };
  try {
    return await runInvocation(input, world);
  } catch (error) {
    return settle(error);
  }
}
