// SPDX-License-Identifier: Apache-2.0
// What the agent serves: Tetragon's FineGuidanceSensors as far as hooks need it, ContainerEvents and AgentState.

import type { Logger } from "@rthooks/log";
import {
  AgentStateDefinition,
  ContainerEventsDefinition,
  FineGuidanceSensorsDefinition,
  HealthStatusResult,
  HealthStatusType,
} from "@rthooks/proto";
import { grpcCode } from "@rthooks/proto/grpc-code";
import { describeError, err, ok } from "@rthooks/result";
import type { AgentMetrics } from "../../base/core/agent-metrics.ts";
import type { Registrar } from "../../base/wire/serve-reads-only.ts";
import { registerUnary } from "../../base/wire/service.ts";
import type { Lifecycle } from "../../containers/core/lifecycle.ts";
import type { PolicyParser } from "../../policies/core/policy-parser.ts";
import type { PolicyStore } from "../../policies/core/policy-store.ts";
import type { PolicyArchive } from "../../policies/edge/policy-archive.ts";
import { renderHealth } from "../core/health.ts";
import { type AgentInfo, toInfoMessage } from "../wire/info-message.ts";
import { toContainerMessage } from "../wire/messages.ts";
import { registerPolicyService } from "./policy-service.ts";
import { type RuntimeHookOptions, registerRuntimeHook } from "./runtime-hook.ts";

export interface ServiceOptions {
  readonly lifecycle: Lifecycle;
  readonly policies: PolicyStore;
  readonly archive: PolicyArchive;
  readonly parser: Pick<PolicyParser, "parsePolicy">;
  readonly awaitPod: RuntimeHookOptions["awaitPod"];
  readonly log: Logger;
  readonly info: AgentInfo;
  readonly metrics: AgentMetrics;
  /** What the agent cannot do just now although it was asked to, one line each. */
  listProblems(): readonly string[];
  /** The NRI plugin says what keeps it from its work; empty: nothing. */
  reportPluginProblem(problem: string): void;
}

/** Each known one costs a look at its cgroup. */
const maxStopped = 1000;

export function registerServices(
  to: Registrar,
  options: ServiceOptions,
  beginCall: RuntimeHookOptions["beginCall"],
): void {
  const { lifecycle, policies, archive, parser, awaitPod, log, info, metrics, listProblems } = options;
  const onBug = (error: unknown): void => log.error("a handler failed", { err: describeError(error) });
  const sensors = FineGuidanceSensorsDefinition;
  const { getVersion, getInfo, getHealth } = sensors.methods;
  const findHealth = () => ({
    event: HealthStatusType.HEALTH_STATUS_TYPE_STATUS,
    status: HealthStatusResult.HEALTH_STATUS_RUNNING,
    details: renderHealth(listProblems()),
  });

  const { version } = info;
  registerUnary(to, sensors, getVersion, (_, answer) => answer(ok({ version })), onBug);
  registerUnary(to, sensors, getInfo, (_, answer) => answer(ok(toInfoMessage(info))), onBug);
  registerUnary(to, sensors, getHealth, (_, answer) => answer(ok({ healthStatus: [findHealth()] })), onBug);
  registerRuntimeHook(to, { lifecycle, awaitPod, metrics, log, onBug, beginCall });
  registerPolicyService(to, { policies, archive, parser, log, onBug });
  registerUnary(
    to,
    ContainerEventsDefinition,
    ContainerEventsDefinition.methods.reportStopped,
    ({ containerIds }, answer) => {
      if (containerIds.length > maxStopped) {
        const details = `ReportStopped: ${containerIds.length} containers, more than ${maxStopped} in one call`;
        answer(err({ code: grpcCode.invalidArgument, details }));
        return;
      }
      lifecycle.reportStopped(containerIds);
      answer(ok({}));
    },
    onBug,
  );
  registerUnary(
    to,
    ContainerEventsDefinition,
    ContainerEventsDefinition.methods.reportRefused,
    ({ containerId, reason }, answer) => {
      lifecycle.reportRefused(containerId, reason);
      answer(ok({}));
    },
    onBug,
  );
  registerUnary(
    to,
    ContainerEventsDefinition,
    ContainerEventsDefinition.methods.reportPluginProblem,
    ({ problem }, answer) => {
      options.reportPluginProblem(problem);
      answer(ok({}));
    },
    onBug,
  );
  registerUnary(
    to,
    AgentStateDefinition,
    AgentStateDefinition.methods.getContainer,
    ({ id }, answer) => {
      const record = lifecycle.find(id);
      answer(
        record === undefined
          ? err({ code: grpcCode.notFound, details: `GetContainer: no container ${id} is on record` })
          : ok(toContainerMessage(record)),
      );
    },
    onBug,
  );
  registerUnary(
    to,
    AgentStateDefinition,
    AgentStateDefinition.methods.listContainers,
    (_, answer) => answer(ok({ containers: lifecycle.list().map(toContainerMessage) })),
    onBug,
  );
}
