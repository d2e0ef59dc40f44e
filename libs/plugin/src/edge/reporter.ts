// SPDX-License-Identifier: Apache-2.0
// Reports to the agent for which no event waits: running containers, after the agent or the session has started; stopped
// containers; denied containers; and the plugin's problem.

import type { Logger } from "@rthooks/log";
import { toPauseMs } from "@rthooks/net";

import { encodeRuntimeHookRequest } from "@rthooks/proto/unary";
import type { KnownContainers } from "../core/known-containers.ts";
import type { Metrics } from "../core/metrics.ts";
import { toReportProblem, toReportRefused, toReportStopped } from "../wire/agent-calls.ts";
import { toPod, toRequest } from "../wire/nri-pod.ts";
import type { AgentClient } from "./agent-client.ts";
import type { FindCgroupPath } from "./find-cgroup-path.ts";

export interface Reporter {
  /** Reports all known containers. */
  reportAll(): void;
  reportStopped(containerIds: readonly string[]): void;
  /** Reports a denied container once, without a retry. */
  reportRefused(containerId: string, reason: string): void;
  /** Reports why containers start unheld, for the agent's health; empty once they are held again. */
  reportProblem(problem: string): void;
  /** The connection is new: the agent may have restarted and may have lost its state. */
  agentConnected(): void;
}

export interface ReporterOptions {
  readonly known: KnownContainers;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly timeoutMs: number;
  readonly findCgroupPath: FindCgroupPath;
  /** A function, since the client is created after the reporter, which handles its `onConnected`. */
  client(): AgentClient;
}

const RUNTIME_HOOK = "/tetragon.FineGuidanceSensors/RuntimeHook";

/** Few calls at once, so that a container that waits for the agent is not queued behind all reports. */
const CONCURRENCY = 4;
/** Container ids in one call. */
const MAX_STOPPED = 500;
/** Ids kept for an unreachable agent. Its own sweep finds the rest. */
const MAX_STOPPED_KEPT = 10_000;
const RETRY_MS = 1000;
/** The agent drops a problem that is not repeated. */
const PROBLEM_MS = 60_000;
/** Retries after 50 ms to 3 s, six seconds in all. A container that starts later raises its own event. */
const MISSING = { firstMs: 50, longestMs: 3200 };
const MISSING_TRIES = 7;

export function createReporter(options: ReporterOptions): Reporter {
  const { known, metrics, log, timeoutMs, findCgroupPath, client } = options;
  const stopped = new Set<string>();
  let isSendingStopped = false;
  let isStoppedWanted = true;
  let problem = "";
  /** A new round ends the one before. */
  let round = 0;

  /** The runtime may list a container before its cgroup exists. */
  const reportLater = (containerId: string, tries: number): void => {
    if (tries >= MISSING_TRIES) return;
    setTimeout(() => void reportOne(containerId, tries + 1), toPauseMs(tries + 1, MISSING)).unref();
  };

  /** False if the agent is unreachable. */
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
    log.debug("the agent refused a container report", { containerID: containerId, err: answer.error.reason });
    if (answer.error.kind === "missing") reportLater(containerId, tries);
    return answer.error.kind !== "away";
  };

  const reportAll = async (): Promise<void> => {
    round++;
    const current = round;
    const waiting = known.list().map(({ container }) => container.id);
    const total = waiting.length;
    let isAway = false;
    const work = async (): Promise<void> => {
      for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
        if (current !== round || isAway) return;
        if (!(await reportOne(id))) isAway = true;
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    if (current !== round || total === 0) return;
    if (!isAway) log.info("running containers reported to the agent", { containers: total });
    // A new connection starts a new round; this one is for an agent that is connected but too busy.
    else if (client().isConnected()) setTimeout(() => void reportAll(), RETRY_MS).unref();
  };

  const sendStopped = async (): Promise<void> => {
    if (isSendingStopped) return;
    isSendingStopped = true;
    while (stopped.size > 0 && isStoppedWanted) {
      const containerIds = [...stopped.values().take(MAX_STOPPED)];
      const { path, message } = toReportStopped(containerIds);
      const answer = await client().call(path, message, timeoutMs);
      metrics.countReport("stopped", answer.ok);
      if (!answer.ok && answer.error.kind === "away") break;
      if (!answer.ok && answer.error.kind === "unimplemented") {
        isStoppedWanted = false;
        log.info("the agent does not support reports of stopped containers", {});
      } else if (!answer.ok) {
        log.warn("the agent refused a report of stopped containers", { err: answer.error.reason });
      }
      for (const id of containerIds) stopped.delete(id);
    }
    if (!isStoppedWanted) stopped.clear();
    isSendingStopped = false;
  };

  const sendProblem = (): void => {
    const { path, message } = toReportProblem(problem);
    void client().call(path, message, timeoutMs);
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
      const { path, message } = toReportRefused(containerId, reason);
      void client().call(path, message, timeoutMs);
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
