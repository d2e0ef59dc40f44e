// SPDX-License-Identifier: Apache-2.0
// Starts the thread that reads events, filters and encodes them, and writes the export file: a flood of events, an expensive
// filter or a slow disk does not delay the calls of containers.

import type { Logger } from "@rthooks/log";
import { err, ok, type Result } from "@rthooks/result";
import { waitAtMost } from "../../base/edge/wait-at-most.ts";
import { createEventStreams, type EventStreams } from "../core/event-streams.ts";
import { noOutput, type OutputStatistics } from "../core/output-messages.ts";
import type { EventThreadSettings, FromEventThread, ToEventThread } from "../core/thread-messages.ts";

export interface EventThread {
  readonly streams: EventStreams;
  /** As of the last second. */
  statistics(): OutputStatistics;
  /** Why there are no events any more; undefined while there are. */
  problem(): string | undefined;
  /** Writes the events that came until now, and ends the thread. */
  close(): Promise<void>;
}

/** A disk that does not answer must not keep the agent from its end. */
const maxCloseMs = 2000;

/** Runs when this resolves. The error is one line. */
export async function startEventThread(
  settings: EventThreadSettings,
  log: Logger,
): Promise<Result<EventThread, string>> {
  const worker = new Worker(new URL("./events-worker.ts", import.meta.url));
  const post = (message: ToEventThread): void => worker.postMessage(message);
  const streams = createEventStreams((request) => post({ channel: "outputs", request }));
  let statistics = noOutput;
  let problem: string | undefined;
  const started = Promise.withResolvers<string | undefined>();
  const stopped = Promise.withResolvers<void>();

  const fail = (why: string): void => {
    problem ??= why;
    started.resolve(why);
    stopped.resolve();
    streams.endAll(why);
  };
  worker.addEventListener("message", ({ data }: MessageEvent<FromEventThread>) => {
    switch (data.channel) {
      case "started":
        return started.resolve(data.error);
      case "stopped":
        return stopped.resolve();
      case "outputs":
        return streams.handle(data.report);
      case "statistics":
        statistics = data.statistics;
        return;
      case "log":
        return log[data.level](data.message, data.fields);
    }
  });
  worker.addEventListener("error", ({ message }) => {
    log.error("the thread of the events ended", { err: message });
    fail(`the thread of the events ended: ${message}`);
  });
  worker.unref();
  post({ channel: "start", settings });

  const error = await started.promise;
  if (error !== undefined) {
    worker.terminate();
    return err(error);
  }
  return ok({
    streams,
    statistics: () => statistics,
    problem: () => problem,
    async close() {
      post({ channel: "stop" });
      await waitAtMost(stopped.promise, maxCloseMs);
      worker.terminate();
    },
  });
}
