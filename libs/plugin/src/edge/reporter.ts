// SPDX-License-Identifier: Apache-2.0
// Tells the agent what no event waits for: the containers that run already, to an agent that is new, and those that
// have ended. No handler waits for any of it.

import type { Logger } from "@rthooks/log";
import {
  ContainerEventsDefinition,
  ReportPluginProblemRequest,
  ReportRefusedRequest,
  ReportStoppedRequest,
} from "@rthooks/proto";
import { encodeRuntimeHookRequest } from "@rthooks/proto/unary";
import type { KnownContainers } from "../core/known-containers.ts";
import type { Metrics } from "../core/metrics.ts";
import { toPod, toRequest } from "../wire/nri-pod.ts";
import type { AgentClient } from "./agent-client.ts";
import type { FindCgroupPath } from "./find-cgroup-path.ts";

export interface Reporter {
  /** Everything that is known, to an agent that may know nothing. */
  reportAll(): void;
  reportStopped(containerIds: readonly string[]): void;
  /** Once: an agent that is away or does not take it has its own log. */
  reportRefused(containerId: string, reason: string): void;
  /** What keeps this plugin from its work, for the agent's health; empty: nothing any more. */
  reportProblem(problem: string): void;
  /** The agent may be another one than before. */
  agentConnected(): void;
}

export interface ReporterOptions {
  readonly known: KnownContainers;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly timeoutMs: number;
  readonly findCgroupPath: FindCgroupPath;
  /** Late: the client itself tells of its connections. */
  client(): AgentClient;
}

const RUNTIME_HOOK = "/tetragon.FineGuidanceSensors/RuntimeHook";
const { fullName, methods } = ContainerEventsDefinition;
const REPORT_STOPPED = `/${fullName}/${methods.reportStopped.name}`;
const REPORT_PROBLEM = `/${fullName}/${methods.reportPluginProblem.name}`;
const REPORT_REFUSED = `/${fullName}/${methods.reportRefused.name}`;

/** So that a node full of containers does not keep the agent from the one that waits. */
const CONCURRENCY = 4;
/** In one call. */
const MAX_STOPPED = 500;
/** Kept for an agent that is away. It finds out by itself what has ended, only later. */
const MAX_STOPPED_KEPT = 10_000;
const RETRY_MS = 1000;
/** An agent forgets a problem that is not repeated. */
const PROBLEM_MS = 60_000;
/** 50 ms to 3 s after one another, six seconds in all. One that starts later has its own event. */
const MISSING_MS = 50;
const MISSING_TRIES = 7;

export function createReporter(options: ReporterOptions): Reporter {
  const { known, metrics, log, timeoutMs, findCgroupPath, client } = options;
  const stopped = new Set<string>();
  let isSendingStopped = false;
  let isStoppedWanted = true;
  let problem = "";
  /** The last report is the one that goes on. */
  let round = 0;

  /** A container that was listed in the middle of its start gets its cgroup in a moment, or never. */
  const reportLater = (containerId: string, tries: number): void => {
    if (tries >= MISSING_TRIES) return;
    setTimeout(() => void reportOne(containerId, tries + 1), MISSING_MS * 2 ** tries).unref();
  };

  /** False when the agent is away. */
  const reportOne = async (containerId: string, tries = 0): Promise<boolean> => {
    const entry = known.find(containerId);
    if (entry === undefined) return true;
    const request = toRequest(toPod(entry.sandbox), entry.container, "synchronize", findCgroupPath);
    if (!request.ok) {
      log.debug("container not reported", { containerID: containerId, err: request.error });
      return true;
    }
    const answer = await client().call(RUNTIME_HOOK, encodeRuntimeHookRequest(request.value), timeoutMs);
    metrics.countReport("synchronize", answer.ok);
    if (answer.ok) return true;
    log.debug("the agent did not take a container", { containerID: containerId, err: answer.error.reason });
    if (answer.error.kind === "missing") reportLater(containerId, tries);
    return answer.error.kind !== "away";
  };

  const reportAll = async (): Promise<void> => {
    round++;
    const mine = round;
    const waiting = known.list().map(({ container }) => container.id);
    const total = waiting.length;
    let isAway = false;
    const work = async (): Promise<void> => {
      for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
        if (mine !== round || isAway) return;
        if (!(await reportOne(id))) isAway = true;
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    if (mine !== round || total === 0) return;
    if (!isAway) log.info("the agent was told of the containers that run", { containers: total });
    // A connection that comes up starts a new round; this is for an agent that is there and too busy.
    else if (client().isConnected()) setTimeout(() => void reportAll(), RETRY_MS).unref();
  };

  const sendStopped = async (): Promise<void> => {
    if (isSendingStopped) return;
    isSendingStopped = true;
    while (stopped.size > 0 && isStoppedWanted) {
      const containerIds = [...stopped.values().take(MAX_STOPPED)];
      const message = ReportStoppedRequest.encode({ containerIds }).finish();
      const answer = await client().call(REPORT_STOPPED, message, timeoutMs);
      metrics.countReport("stopped", answer.ok);
      if (!answer.ok && answer.error.kind === "away") break;
      if (!answer.ok && answer.error.kind === "unimplemented") {
        isStoppedWanted = false;
        log.info("the agent does not take reports of ended containers: it finds out by itself", {});
      } else if (!answer.ok) {
        log.warn("the agent refused a report of ended containers", { err: answer.error.reason });
      }
      for (const id of containerIds) stopped.delete(id);
    }
    if (!isStoppedWanted) stopped.clear();
    isSendingStopped = false;
  };

  const sendProblem = (): void => {
    const message = ReportPluginProblemRequest.encode({ problem }).finish();
    void client().call(REPORT_PROBLEM, message, timeoutMs);
  };
  setInterval(() => {
    if (problem !== "") sendProblem();
  }, PROBLEM_MS).unref();

  return {
    reportAll: () => void reportAll(),
    reportStopped(containerIds) {
      if (!isStoppedWanted) return;
      for (const id of containerIds) {
        if (stopped.size < MAX_STOPPED_KEPT) stopped.add(id);
      }
      void sendStopped();
    },
    reportRefused(containerId, reason) {
      const message = ReportRefusedRequest.encode({ containerId, reason }).finish();
      void client().call(REPORT_REFUSED, message, timeoutMs);
    },
    reportProblem(text) {
      if (text === problem) return;
      problem = text;
      sendProblem();
    },
    agentConnected() {
      isStoppedWanted = true;
      if (problem !== "") sendProblem();
      void sendStopped();
      void reportAll();
    },
  };
}
