// SPDX-License-Identifier: Apache-2.0
// The calls to the agent besides RuntimeHook: method paths and encoded requests (rthooks.v1).

import {
  AgentStateDefinition,
  Container,
  ContainerEventsDefinition,
  GetContainerRequest,
  ReportPluginProblemRequest,
  ReportRefusedRequest,
  ReportStoppedRequest,
} from "@rthooks/proto";

interface AgentCall {
  /** "/package.Service/Method" */
  readonly path: string;
  readonly message: Uint8Array;
}

const state = AgentStateDefinition;
const events = ContainerEventsDefinition;

export const toGetContainer = (containerId: string): AgentCall => ({
  path: `/${state.fullName}/${state.methods.getContainer.name}`,
  message: GetContainerRequest.encode({ id: containerId }).finish(),
});

/** Whether the container of a GetContainer answer is released. */
export const isReleased = (answer: Uint8Array): boolean => Container.decode(answer).state === "released";

export const toReportStopped = (containerIds: string[]): AgentCall => ({
  path: `/${events.fullName}/${events.methods.reportStopped.name}`,
  message: ReportStoppedRequest.encode({ containerIds }).finish(),
});

/** Of a denied container. */
export const toReportRefused = (containerId: string, reason: string): AgentCall => ({
  path: `/${events.fullName}/${events.methods.reportRefused.name}`,
  message: ReportRefusedRequest.encode({ containerId, reason }).finish(),
});

export const toReportProblem = (problem: string): AgentCall => ({
  path: `/${events.fullName}/${events.methods.reportPluginProblem.name}`,
  message: ReportPluginProblemRequest.encode({ problem }).finish(),
});
