// SPDX-License-Identifier: Apache-2.0
// What the agent serves: Tetragon's FineGuidanceSensors as far as hooks need it, ContainerEvents and AgentState.

import type { Logger } from "@rthooks/log";
import { describeError } from "@rthooks/result";
import type { AgentMetrics } from "../../base/core/agent-metrics.ts";
import type { Registrar } from "../../base/wire/serve-reads-only.ts";
import type { ContainerChanges } from "../../containers/core/container-changes.ts";
import type { Lifecycle } from "../../containers/core/lifecycle.ts";
import type { EventStreams } from "../../events/core/event-streams.ts";
import { renderHealth } from "../core/health.ts";
import {
  type FindExplanations,
  registerAgentState,
  registerContainerEvents,
} from "../wire/container-services.ts";
import { type LogLevelSwitch, registerDebugService } from "../wire/debug-service.ts";
import { registerEventsService } from "../wire/events-service.ts";
import type { AgentInfo } from "../wire/info-message.ts";
import { registerInfoService } from "../wire/info-service.ts";
import { type PolicyHandlers, registerPolicyService } from "../wire/policy-service.ts";
import { registerRuntimeHookService } from "../wire/runtime-hook-service.ts";
import { registerWatchService } from "../wire/watch-service.ts";
import { createRuntimeHook, type RuntimeHookOptions } from "./runtime-hook.ts";

export interface ServiceOptions extends PolicyHandlers {
  readonly lifecycle: Lifecycle;
  readonly changes: ContainerChanges;
  readonly awaitPod: RuntimeHookOptions["awaitPod"];
  readonly starts: RuntimeHookOptions["starts"];
  readonly log: Logger;
  readonly info: AgentInfo;
  readonly metrics: AgentMetrics;
  readonly findExplanations: FindExplanations;
  /** Undefined where the agent has no events. */
  readonly events: Pick<EventStreams, "open"> | undefined;
  readonly logLevel: LogLevelSwitch;
  /** Why the agent does not do what its configuration asks for, one line each. */
  listProblems(): readonly string[];
  /** What keeps the NRI plugin from its work; empty: nothing. */
  reportPluginProblem(problem: string): void;
}

/** Returns the function that ends the calls that end only with the agent. */
export function registerServices(
  to: Registrar,
  options: ServiceOptions,
  beginCall: RuntimeHookOptions["beginCall"],
): () => void {
  const { lifecycle, changes, awaitPod, starts, log, info, metrics, listProblems } = options;
  const onBug = (error: unknown): void => log.error("a handler failed", { err: describeError(error) });
  const { reportStopped, reportRefused } = lifecycle;
  const { reportPluginProblem } = options;
  const onHookRequest = createRuntimeHook({ lifecycle, awaitPod, starts, metrics, log, onBug, beginCall });

  registerInfoService(to, info, () => renderHealth(listProblems()), onBug);
  registerRuntimeHookService(to, onHookRequest, onBug);
  registerPolicyService(to, options, onBug);
  registerContainerEvents(to, { reportStopped, reportRefused, reportPluginProblem }, onBug);
  registerAgentState(to, lifecycle, options.findExplanations, onBug);
  registerDebugService(to, options.logLevel, onBug);
  const endings = [
    registerWatchService(to, changes, onBug),
    registerEventsService(to, options.events, onBug),
  ];
  return () => {
    for (const end of endings) end();
  };
}
