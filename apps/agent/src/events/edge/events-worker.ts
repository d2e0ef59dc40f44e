// SPDX-License-Identifier: Apache-2.0
// The thread of the events. See event-thread.ts.

import type { OutputStatistics } from "../core/output-messages.ts";
import type { EventThreadSettings, FromEventThread, ToEventThread } from "../core/thread-messages.ts";
import { createEventOutputs, type EventOutputs } from "./event-outputs.ts";

declare const self: Worker;

/** Also without events: files are rotated, and clients are told how many events they missed. */
const flushEveryMs = 250;
const statisticsEveryMs = 1000;

let outputs: EventOutputs | undefined;

function post(message: FromEventThread): void {
  self.postMessage(message);
}

function start(settings: EventThreadSettings): void {
  const created = createEventOutputs({
    ...settings,
    post: (report) =>
      report.kind === "events"
        ? self.postMessage({ channel: "outputs", report } satisfies FromEventThread, [report.bytes.buffer])
        : post({ channel: "outputs", report }),
    warn: (message, fields) => post({ channel: "log", level: "warn", message, fields }),
  });
  if (created.ok) {
    outputs = created.value;
    setInterval(() => outputs?.flush(), flushEveryMs);
    setInterval(() => {
      if (outputs !== undefined) reportStatistics(outputs.statistics());
    }, statisticsEveryMs);
  }
  post({ channel: "started", error: created.ok ? undefined : created.error });
}

function reportStatistics(statistics: OutputStatistics): void {
  post({ channel: "statistics", statistics });
}

self.onmessage = ({ data }: MessageEvent<ToEventThread>) => {
  switch (data.channel) {
    case "start":
      return start(data.settings);
    case "outputs":
      return outputs?.handle(data.request);
    case "stop":
      outputs?.close();
      outputs = undefined;
      return post({ channel: "stopped" });
  }
};
