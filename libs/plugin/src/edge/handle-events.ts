// SPDX-License-Identifier: Apache-2.0
// The runtime's requests, answered.

import { performance } from "node:perf_hooks";
import type { LogFields, Logger } from "@rthooks/log";
import type { NriCall, NriEvent, NriHandlers, TtrpcStatus } from "@rthooks/nri";
import { grpcCode } from "@rthooks/proto/grpc-code";
import type { ConfigureRequest } from "@rthooks/proto/nri";
import { err, ok, type Result } from "@rthooks/result";
import type { KnownContainers } from "../core/known-containers.ts";
import type { Metrics } from "../core/metrics.ts";
import type { PluginMode } from "../core/plugin-flags.ts";
import type { PluginOptions } from "../core/plugin-options.ts";
import { decideMode, holdsAtStart, toMask } from "../core/runtime-mode.ts";
import { canSynchronize, type SynchronizeStyle } from "../core/synchronization-room.ts";
import type { Decider } from "./decide-container.ts";
import { createEventDecision } from "./decide-event.ts";
import type { Answer } from "./hold-in-time.ts";
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
  /** Files of containerd's configuration that have it make no container with an added hook; none where it does. */
  findHookRejection(options: PluginOptions, containerdVersion: string): Promise<readonly string[]>;
  onConfigured(): void;
  onSynchronized(): void;
}

export interface EventHandlers extends Omit<NriHandlers, "closed" | "tooLarge"> {
  /** Resolves when no event waits for its answer. */
  idle(): Promise<void>;
}

export function createEventHandlers(setup: EventSetup): EventHandlers {
  const { known, metrics, log, reporter } = setup;
  const decision = createEventDecision(setup);
  let style: SynchronizeStyle = "parts";
  let inWork = 0;
  let whenIdle: (() => void)[] = [];

  const configure = async (request: ConfigureRequest): Promise<Result<number, TtrpcStatus>> => {
    const configured = await setup.configure(request.config);
    if (!configured.ok) {
      log.error("the runtime's configuration for this plugin is wrong", { err: configured.error });
      return err({ code: grpcCode.invalidArgument, message: configured.error });
    }
    const { runtimeName, runtimeVersion } = request;
    const { mode: wanted, decider } = configured.value;
    const rejectedIn =
      wanted === "inject" && holdsAtStart(runtimeName)
        ? await setup.findHookRejection(decider.options, runtimeVersion)
        : [];
    const { mode, warning } = decideMode(wanted, runtimeName, rejectedIn);
    // The field is as old as the parts are (NRI 0.7).
    style = request.requestTimeout > 0n ? "parts" : "whole";
    decision.configure({ decider, mode, style, runtimeName });
    const fields: LogFields = { runtime: runtimeName, runtimeVersion, mode };
    log.info("configured", fields);
    if (warning !== undefined) log.warn(warning, fields);
    setup.onConfigured();
    return ok(toMask(mode));
  };

  const event = async (happened: NriEvent, call: NriCall): Promise<Answer> => {
    let outcome: "ok" | "denied" | "error" = "error";
    inWork++;
    try {
      const answer = await decision.decide(happened, call);
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
