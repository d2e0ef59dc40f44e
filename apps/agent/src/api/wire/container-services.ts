// SPDX-License-Identifier: Apache-2.0
// This project's own services (rthooks.v1): ContainerEvents, by which the NRI plugin reports what happened to containers,
// and AgentState, by which clients read the containers on record.

import type { ContainerQuery, Explanation, QueryProblem } from "@rthooks/explain";
import { AgentStateDefinition, ContainerEventsDefinition } from "@rthooks/proto";
import { grpcCode } from "@rthooks/proto/grpc-code";
import { err, ok, type Result } from "@rthooks/result";
import type { Registrar } from "../../base/wire/serve-reads-only.ts";
import { registerUnary } from "../../base/wire/service.ts";
import type { ContainerRecord } from "../../containers/core/container-record.ts";
import { toContainerQuery, toExplanationMessage } from "./explanation-messages.ts";
import { toContainerMessage } from "./messages.ts";

export interface ContainerEventHandlers {
  reportStopped(containerIds: readonly string[]): void;
  reportRefused(containerId: string, reason: string): void;
  /** What keeps the NRI plugin from its work; empty: nothing. */
  reportPluginProblem(problem: string): void;
}

/** Each known container costs one look at its cgroup. */
const maxStopped = 1000;

export function registerContainerEvents(
  to: Registrar,
  handlers: ContainerEventHandlers,
  onBug: (error: unknown) => void,
): void {
  const service = ContainerEventsDefinition;
  const { reportStopped, reportRefused, reportPluginProblem } = service.methods;
  registerUnary(
    to,
    service,
    reportStopped,
    ({ containerIds }, answer) => {
      if (containerIds.length > maxStopped) {
        const details = `ReportStopped: ${containerIds.length} containers, more than ${maxStopped} in one call`;
        answer(err({ code: grpcCode.invalidArgument, details }));
        return;
      }
      handlers.reportStopped(containerIds);
      answer(ok({}));
    },
    onBug,
  );
  registerUnary(
    to,
    service,
    reportRefused,
    ({ containerId, reason }, answer) => {
      handlers.reportRefused(containerId, reason);
      answer(ok({}));
    },
    onBug,
  );
  registerUnary(
    to,
    service,
    reportPluginProblem,
    ({ problem }, answer) => {
      handlers.reportPluginProblem(problem);
      answer(ok({}));
    },
    onBug,
  );
}

export interface ContainerRecords {
  list(): readonly ContainerRecord[];
  find(containerId: string): ContainerRecord | undefined;
}

/** At least one explanation. */
export type FindExplanations = (query: ContainerQuery) => Result<readonly Explanation[], QueryProblem>;

export function registerAgentState(
  to: Registrar,
  records: ContainerRecords,
  findExplanations: FindExplanations,
  onBug: (error: unknown) => void,
): void {
  const service = AgentStateDefinition;
  const { getContainer, listContainers, explainContainer } = service.methods;
  registerUnary(
    to,
    service,
    getContainer,
    ({ id }, answer) => {
      const record = records.find(id);
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
    service,
    listContainers,
    (_, answer) => answer(ok({ containers: records.list().map(toContainerMessage) })),
    onBug,
  );
  registerUnary(
    to,
    service,
    explainContainer,
    (request, answer) => {
      const query = toContainerQuery(request);
      const found = query === undefined ? noQuery : findExplanations(query);
      if (found.ok) return answer(ok({ explanations: found.value.map(toExplanationMessage) }));
      const { kind, message: details } = found.error;
      answer(err({ code: kind === "not-found" ? grpcCode.notFound : grpcCode.invalidArgument, details }));
    },
    onBug,
  );
}

const noQuery = err<QueryProblem>({
  kind: "invalid",
  message: "ExplainContainer: the request names no container",
});
