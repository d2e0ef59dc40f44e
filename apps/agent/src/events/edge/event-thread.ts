// SPDX-License-Identifier: Apache-2.0
// Starts the thread that reads events, filters and encodes them, and writes the export file: a flood of events, an expensive
// filter or a slow disk does not delay the calls of containers. When a bug ends the thread, another one starts with the same
// containers and rules; records wait in the ring buffer meanwhile.

import type { Logger } from "@rthooks/log";
import { createBackOff } from "@rthooks/net";
import { err, ok, type Result } from "@rthooks/result";
import { openWakeSignal } from "@rthooks/sys/wake-signal";
import { waitAtMost } from "../../base/edge/wait-at-most.ts";
import type { EventContainer } from "../core/agent-event.ts";
import { addStatistics, noStatistics } from "../core/event-statistics.ts";
import { createEventStreams, type EventStreams } from "../core/event-streams.ts";
import { type LostCounts, sumLost } from "../core/lost-counter.ts";
import { addOutput, noOutput } from "../core/output-messages.ts";
import type {
  EventThreadSettings,
  FromEventThread,
  NumberedRule,
  ThreadStatistics,
  ToEventThread,
} from "../core/thread-messages.ts";
import type { ReportedRule } from "../core/to-match-events.ts";

export interface EventThread {
  readonly streams: EventStreams;
  /** Call it before the kernel's map has the container: then its first record finds it. */
  putContainer(container: EventContainer, runsAlready: boolean): void;
  removeContainer(cgroupId: bigint): void;
  /** Call it before the rules come into force. */
  putRules(rules: readonly NumberedRule[]): void;
  /** Since the start of the agent, as of the last second. */
  statistics(): ThreadStatistics;
  /** Why there are no events now, in one line; empty while there are. */
  problem(): string;
  /** Writes the events that came until now, and ends the thread. */
  close(): Promise<void>;
}

export interface EventThreadParts {
  readonly settings: Omit<EventThreadSettings, "wakeFd" | "lostBefore">;
  readonly log: Logger;
  /** The root cgroups of these containers were removed. */
  onCgroupsGone(cgroupIds: readonly bigint[]): void;
  /** Instead of the thread's own program. */
  startWorker?(): Worker;
}

/** A disk that does not answer must not keep the agent from its end. */
const maxCloseMs = 2000;
const warnEveryMs = 10_000;

const startOwnWorker = (): Worker => new Worker(new URL("./events-worker.ts", import.meta.url));

/** Runs when this resolves. The error is one line. */
export async function startEventThread(parts: EventThreadParts): Promise<Result<EventThread, string>> {
  const { settings, log, onCgroupsGone, startWorker = startOwnWorker } = parts;
  const signal = openWakeSignal();
  if (!signal.ok) return err(`the thread of the events cannot be woken: ${signal.error.message}`);
  const wake = signal.value;
  const containers = new Map<bigint, EventContainer>();
  const rules = new Map<number, ReportedRule>();
  const backOff = createBackOff({ firstMs: 500, longestMs: 30_000 });
  const started = Promise.withResolvers<string | undefined>();
  const stopped = Promise.withResolvers<void>();
  let worker: Worker | undefined;
  /** Those that may still wait for the signal. */
  const running = new Set<Worker>();
  let restart: ReturnType<typeof setTimeout> | undefined;
  let problem = "";
  let hasStarted = false;
  let isClosed = false;
  const nothing: ThreadStatistics = { outputs: noOutput, records: noStatistics };
  /** Of threads that have ended, and of this one. */
  let [before, now] = [nothing, nothing];
  let firstLost: LostCounts | undefined;
  let missed = 0;
  let warnedMs = Number.NEGATIVE_INFINITY;

  const post = (message: ToEventThread): void => {
    worker?.postMessage(message);
    // It may be waiting for a record.
    wake.send();
  };
  const streams = createEventStreams((request) => post({ channel: "outputs", request }));

  const readStatistics = (): ThreadStatistics => ({
    outputs: addOutput(before.outputs, now.outputs),
    records: addStatistics(before.records, now.records),
  });

  const warnOfMissed = (): void => {
    const { lost, abandoned } = readStatistics().records;
    const all = sumLost(lost) + abandoned;
    if (all === missed || performance.now() - warnedMs < warnEveryMs) return;
    log.warn("records of processes were lost: there are no events of them", { lost: all - missed });
    missed = all;
    warnedMs = performance.now();
  };

  const fail = (why: string): void => {
    worker?.terminate();
    worker = undefined;
    stopped.resolve();
    if (isClosed) return;
    if (!hasStarted) {
      started.resolve(why);
      return;
    }
    [before, now] = [readStatistics(), nothing];
    problem = `there are no events: ${why}`;
    log.error("the thread of the events ended; another one starts", { err: why });
    streams.endAll(why);
    restart = setTimeout(begin, backOff.next());
    restart.unref();
  };

  const take = (message: FromEventThread): void => {
    switch (message.channel) {
      case "started":
        if (message.error !== undefined) {
          fail(message.error);
          return;
        }
        problem = "";
        firstLost ??= message.firstLost;
        hasStarted = true;
        started.resolve(undefined);
        return;
      case "stopped":
        stopped.resolve();
        return;
      case "outputs":
        streams.handle(message.report);
        return;
      case "cgroups.gone":
        onCgroupsGone(message.cgroupIds);
        return;
      case "statistics":
        // It has worked for a while.
        backOff.reset();
        now = message.statistics;
        warnOfMissed();
        return;
      case "abandoned":
        now = message.statistics;
        warnOfMissed();
        return;
      case "log":
        log[message.level](message.message, message.fields);
        return;
    }
  };

  const closeSignal = (): void => {
    if (isClosed && running.size === 0) wake.close();
  };

  const begin = (): void => {
    const begun = startWorker();
    worker = begun;
    running.add(begun);
    begun.addEventListener("message", ({ data }: MessageEvent<FromEventThread>) => {
      if (worker === begun) take(data);
    });
    begun.addEventListener("error", ({ message }) => {
      if (worker === begun) fail(message);
    });
    begun.addEventListener("close", () => {
      running.delete(begun);
      if (worker === begun) fail("it ended by itself");
      closeSignal();
    });
    begun.unref();
    const lostBefore = firstLost && { first: firstLost, told: sumLost(before.records.lost) };
    post({ channel: "start", settings: { ...settings, lostBefore, wakeFd: wake.fd } });
    post({ channel: "rules.put", rules: [...rules] });
    // After a crash their processes are not known to the new thread.
    for (const container of containers.values())
      post({ channel: "container.put", container, runsAlready: true });
  };

  const close = async (): Promise<void> => {
    isClosed = true;
    clearTimeout(restart);
    if (worker !== undefined) {
      post({ channel: "stop" });
      await waitAtMost(stopped.promise, maxCloseMs);
    }
    const ended = worker;
    worker = undefined;
    ended?.terminate();
    wake.send();
    closeSignal();
  };

  begin();
  const error = await started.promise;
  if (error !== undefined) {
    await close();
    return err(error);
  }
  return ok({
    streams,
    putContainer(container, runsAlready) {
      containers.set(container.cgroupId, container);
      post({ channel: "container.put", container, runsAlready });
    },
    removeContainer(cgroupId) {
      if (containers.delete(cgroupId)) post({ channel: "container.removed", cgroupId });
    },
    putRules(changed) {
      for (const [number, rule] of changed) rules.set(number, rule);
      post({ channel: "rules.put", rules: changed });
    },
    statistics: readStatistics,
    problem: () => problem,
    close,
  });
}
