// SPDX-License-Identifier: Apache-2.0
// The runtime's requests, answered. Only the event that stands for a container's start may take time.

import { performance } from "node:perf_hooks";
import type { LogFields, Logger } from "@rthooks/log";
import { type NriCall, type NriEvent, type NriHandlers, type TtrpcStatus, ttrpcCode } from "@rthooks/nri";
import type { Pod } from "@rthooks/oci";
import type { ConfigureRequest, Container, ContainerAdjustment } from "@rthooks/proto/nri";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { KnownContainers } from "../core/known-containers.ts";
import type { Metrics } from "../core/metrics.ts";
import type { PluginMode } from "../core/plugin-flags.ts";
import { decideMode, type EffectiveMode, toLastMomentMs, toMask } from "../core/runtime-mode.ts";
import { canSynchronize, hasRoomFor, type SynchronizeStyle } from "../core/synchronization-room.ts";
import { toPod } from "../wire/nri-pod.ts";
import {
  askAgent,
  type Decider,
  injectHook,
  refuseTooLarge,
  settleWithoutAgent,
} from "./decide-container.ts";
import type { Reporter } from "./reporter.ts";

export interface EventSetup {
  readonly known: KnownContainers;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly reporter: Reporter;
  /** With what the runtime hands a launched plugin; the error is for people. */
  configure(
    configText: string,
  ): Promise<Result<{ readonly mode: PluginMode; readonly decider: Decider }, string>>;
  onConfigured(): void;
  onSynchronized(): void;
}

type Answer = Result<Partial<ContainerAdjustment> | undefined, TtrpcStatus>;

export interface EventHandlers extends Omit<NriHandlers, "closed"> {
  /** Resolves when no event waits for its answer. */
  idle(): Promise<void>;
}

export function createEventHandlers(setup: EventSetup): EventHandlers {
  const { known, metrics, log, reporter } = setup;
  let mode: EffectiveMode = "inject";
  let style: SynchronizeStyle = "parts";
  let decider: Decider | undefined;
  let inWork = 0;
  let whenIdle: (() => void)[] = [];

  const configure = async (request: ConfigureRequest): Promise<Result<number, TtrpcStatus>> => {
    const configured = await setup.configure(request.config);
    if (!configured.ok) {
      log.error("the runtime's configuration for this plugin is wrong", { err: configured.error });
      return err({ code: ttrpcCode.invalidArgument, message: configured.error });
    }
    decider = configured.value.decider;
    const decision = decideMode(configured.value.mode, request.runtimeName);
    mode = decision.mode;
    // The field is as old as the parts are (NRI 0.7).
    style = request.requestTimeout > 0n ? "parts" : "whole";
    const fields: LogFields = { runtime: request.runtimeName, runtimeVersion: request.runtimeVersion, mode };
    log.info("configured", fields);
    if (decision.warning !== undefined) log.warn(decision.warning, fields);
    setup.onConfigured();
    return ok(toMask(mode));
  };

  const hasRoom = ({ pod, podBytes, containerBytes }: NriEvent, { id }: Container): boolean => {
    const newPodBytes = known.hasSandbox(pod.id) ? undefined : podBytes;
    return hasRoomFor({ containerBytes, newPodBytes }, known.sizesWithout(id), style);
  };

  const decide = async (happened: NriEvent, call: NriCall): Promise<Answer> => {
    const { name, pod: sandbox, container, podBytes, containerBytes } = happened;
    switch (name) {
      case "CreateContainer":
      case "StartContainer": {
        if (container === undefined || decider === undefined) return ok(undefined);
        if (!hasRoom(happened, container)) {
          metrics.countTooLarge();
          return refuseTooLarge(decider, toPod(sandbox), container, podBytes + containerBytes);
        }
        if (name === "StartContainer" && known.find(container.id)?.isHeld === true) return ok(undefined);
        const pod = toPod(sandbox);
        const answer = await holdInTime(decider, pod, container, name, call);
        if (answer.ok) {
          const isHeld = name === "StartContainer" || answer.value !== undefined;
          known.put({ sandbox, container, isHeld, podBytes, containerBytes });
        }
        return answer;
      }
      case "StopContainer":
      case "RemoveContainer":
        // What is removed was stopped before, unless nobody listened then.
        if (container !== undefined && (known.remove(container.id) || name === "StopContainer")) {
          reporter.reportStopped([container.id]);
        }
        return ok(undefined);
      case "RemovePodSandbox":
        reporter.reportStopped(known.removeSandbox(sandbox.id));
        return ok(undefined);
      default:
        return ok(undefined);
    }
  };

  const event = async (happened: NriEvent, call: NriCall): Promise<Answer> => {
    let outcome: "ok" | "denied" | "error" = "error";
    inWork++;
    try {
      const answer = await decide(happened, call);
      outcome = answer.ok ? "ok" : "denied";
      return answer;
    } finally {
      const doneAtMs = performance.now();
      metrics.observe(happened.name, outcome, (doneAtMs - call.receivedAtMs) / 1000);
      if (doneAtMs > call.deadlineAtMs) {
        metrics.countLate();
        log.warn("answered after the runtime's deadline: it went on without this plugin", {
          event: happened.name,
        });
      }
      log.debug("event", { event: happened.name, container: happened.container?.id, outcome });
      inWork--;
      if (inWork === 0) {
        for (const wake of whenIdle) wake();
        whenIdle = [];
      }
    }
  };

  return {
    configure,
    synchronize(inventory) {
      const { pods, omitted } = inventory;
      const ended = known.replaceAll(inventory);
      if (ended.length > 0) reporter.reportStopped(ended);
      log.info("synchronized", { pods: pods.length, containers: known.size });
      if (omitted > 0)
        log.error("pods or containers left out of the synchronization: too large", { omitted });
      if (!canSynchronize(known.sizesWithout(""), style)) {
        log.warn(
          "the containers of this node are too large for NRI: a restart of this plugin may not succeed",
          {
            remedy: "remove the largest, those with the most environment variables",
          },
        );
      }
      reporter.reportAll();
      setup.onSynchronized();
      return ok(undefined);
    },
    event,
    idle: () =>
      inWork === 0 ? Promise.resolve() : new Promise<void>((resolve) => void whenIdle.push(resolve)),
  };
}

/**
 * Both ways have their own limits. This one is for what nobody thought of, such as a file system that hangs or a bug:
 * an answer that is missing would let every container start, and one that is an error would let none.
 */
async function holdInTime(
  decider: Decider,
  pod: Pod,
  container: Container,
  name: "CreateContainer" | "StartContainer",
  call: NriCall,
): Promise<Answer> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<Answer>((resolve) => {
    timer = setTimeout(
      () => resolve(settleWithoutAgent(decider, pod, container, "no decision before the runtime's deadline")),
      toLastMomentMs(call, performance.now()),
    );
  });
  try {
    return await Promise.race([
      name === "CreateContainer"
        ? injectHook(decider, pod, container)
        : askAgent(decider, pod, container, call),
      tooLate,
    ]);
  } catch (error) {
    return settleWithoutAgent(decider, pod, container, `internal error: ${describeError(error)}`);
  } finally {
    clearTimeout(timer);
  }
}
