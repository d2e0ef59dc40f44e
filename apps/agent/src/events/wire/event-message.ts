// SPDX-License-Identifier: Apache-2.0
// Events as Tetragon's GetEventsResponse.

import {
  type GetEventsResponse,
  KprobeAction,
  type KprobeArgument,
  type Process,
} from "@rthooks/proto/events";
import type { AgentEvent, MatchAction, ProcessFacts } from "../core/agent-event.ts";
import type { EventNode } from "../core/thread-messages.ts";
import { toArgumentMessage } from "./argument-message.ts";
import { toProcessMessage } from "./process-message.ts";
import { toReadableArguments } from "./readable-arguments.ts";
import { nanosToTimestamp } from "./timestamp.ts";

export type ToProcess = (facts: ProcessFacts) => Process;

export const toEventMessage = (
  event: AgentEvent,
  node: EventNode,
  toProcess: ToProcess = toProcessMessage,
): GetEventsResponse => ({
  event: toContent(event, node, toProcess),
  nodeName: node.nodeName,
  time: nanosToTimestamp(event.timeNs),
  clusterName: node.clusterName,
});

type Content = NonNullable<GetEventsResponse["event"]>;

function toContent(event: AgentEvent, node: EventNode, toProcess: ToProcess): Content {
  switch (event.kind) {
    case "exec":
      return { $case: "processExec", processExec: toProcesses(event, toProcess) };
    case "exit": {
      const { status, signal, timeNs } = event;
      const end = { status, signal, time: nanosToTimestamp(timeNs) };
      return { $case: "processExit", processExit: { ...toProcesses(event, toProcess), ...end } };
    }
    case "match":
      return toMatch(event, node, toProcess);
    case "lost":
      return { $case: "rateLimitInfo", rateLimitInfo: { numberOfDroppedProcessEvents: event.count } };
  }
}

type MatchEvent = Extract<AgentEvent, { kind: "match" }>;

function toMatch(event: MatchEvent, node: EventNode, toProcess: ToProcess): Content {
  const { report, hook, facts } = event;
  const declared: KprobeArgument[] = report.args.map((arg) => toArgumentMessage(arg, facts, node.abi));
  const common = {
    ...toProcesses(event, toProcess),
    action: actions[event.action],
    policyName: report.policyName,
    message: report.message,
    tags: [...report.tags],
  };
  switch (report.event) {
    case "kprobe": {
      const args = toReadableArguments(hook, declared);
      return { $case: "processKprobe", processKprobe: { ...common, functionName: hook, args } };
    }
    case "lsm":
      return { $case: "processLsm", processLsm: { ...common, functionName: hook, args: declared } };
    case "tracepoint": {
      const [subsys = "", ...rest] = hook.split("/");
      const tracepoint = { ...common, subsys, event: rest.join("/"), args: declared };
      return { $case: "processTracepoint", processTracepoint: tracepoint };
    }
  }
}

const actions: Readonly<Record<MatchAction, KprobeAction>> = {
  post: KprobeAction.KPROBE_ACTION_POST,
  kill: KprobeAction.KPROBE_ACTION_SIGKILL,
  signal: KprobeAction.KPROBE_ACTION_SIGNAL,
  override: KprobeAction.KPROBE_ACTION_OVERRIDE,
};

interface WithProcesses {
  readonly process: ProcessFacts;
  readonly parent: ProcessFacts | undefined;
}

const toProcesses = (event: WithProcesses, toProcess: ToProcess) => ({
  process: toProcess(event.process),
  parent: event.parent && toProcess(event.parent),
});
