// SPDX-License-Identifier: Apache-2.0
// Handlers of the runtime's NRI requests: Configure, Synchronize and events.

import { performance } from "node:perf_hooks";
import type { LogFields, Logger } from "@rthooks/log";
import type { NriCall, NriConfiguration, NriEvent, NriHandlers, TtrpcStatus } from "@rthooks/nri";
import { grpcCode } from "@rthooks/proto/grpc-code";
import { err, ok, type Result } from "@rthooks/result";
import type { KnownContainers } from "../core/known-containers.ts";
import type { Metrics } from "../core/metrics.ts";
import type { PluginMode } from "../core/plugin-flags.ts";
import type { PluginOptions } from "../core/plugin-options.ts";
import { decideMode, holdsAtStart, toMask } from "../core/runtime-mode.ts";
import { canSynchronize, type SynchronizeStyle } from "../core/synchronization-size.ts";
import type { Decider } from "./decide-container.ts";
import { createEventDecision } from "./decide-event.ts";
import type { Answer } from "./decide-in-time.ts";
import type { Reporter } from "./reporter.ts";

export interface EventSetup {
  readonly known: KnownContainers;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly reporter: Reporter;
  /** Applies the configuration that the runtime sends to a launched plugin; the error is a sentence for the log. */
  configure(
    configText: string,
  ): Promise<Result<{ readonly mode: PluginMode; readonly decider: Decider }, string>>;
  /** The files of containerd's configuration that make its default validator reject hooks; empty if it accepts them. */
  findHookRejection(options: PluginOptions, containerdVersion: string): Promise<readonly string[]>;
  onConfigured(): void;
  onSynchronized(): void;
}

export interface EventHandlers extends Omit<NriHandlers, "closed" | "tooLarge"> {
  /** Resolves when all events are answered. */
  idle(): Promise<void>;
}

export function createEventHandlers(setup: EventSetup): EventHandlers {
  const { known, metrics, log, reporter } = setup;
  const decision = createEventDecision(setup);
  let style: SynchronizeStyle = "parts";
  let pending = 0;
  let whenIdle: (() => void)[] = [];

  const configure = async (request: NriConfiguration): Promise<Result<number, TtrpcStatus>> => {
    const configured = await setup.configure(request.config);
    if (!configured.ok) {
      log.error("invalid plugin configuration from the runtime", { err: configured.error });
      return err({ code: grpcCode.invalidArgument, message: configured.error });
    }
    const { runtimeName, runtimeVersion } = request;
    const { mode: wanted, decider } = configured.value;
    const rejectedIn =
      wanted === "inject" && holdsAtStart(runtimeName)
        ? await setup.findHookRejection(decider.options, runtimeVersion)
        : [];
    const { mode, warning } = decideMode(wanted, runtimeName, rejectedIn);
    // NRI 0.7 introduced both this field and the parts.
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
    pending++;
    try {
      const answer = await decision.decide(happened, call);
      outcome = answer.ok ? "ok" : "denied";
      return answer;
    } finally {
      const doneAtMs = performance.now();
      metrics.observe(happened.name, outcome, (doneAtMs - call.receivedAtMs) / 1000);
      if (doneAtMs > call.deadlineAtMs) {
        metrics.countLate();
        log.warn("event answered after the runtime's deadline: the container started unheld", {
          event: happened.name,
        });
      }
      log.debug("event", { event: happened.name, containerID: happened.container?.id, outcome });
      pending--;
      if (pending === 0) {
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
        log.error("synchronization is too large; some pods or containers were not read", { omitted });
      if (!canSynchronize(known.sizesWithout(""), style)) {
        log.warn(
          "the containers of this node are too large for an NRI synchronization: the runtime may not synchronize this plugin after a restart",
          {
            remedy: "remove the largest containers, those with the most environment variables",
          },
        );
      }
      reporter.reportAll();
      setup.onSynchronized();
      return ok(undefined);
    },
    event,
    idle: () =>
      pending === 0 ? Promise.resolve() : new Promise<void>((resolve) => void whenIdle.push(resolve)),
  };
}
