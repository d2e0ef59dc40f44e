// SPDX-License-Identifier: Apache-2.0
// The thread of the events. See event-thread.ts.

import { createFileWait, createSignalReader } from "@rthooks/sys/wake-signal";
import { noStatistics } from "../core/event-statistics.ts";
import type {
  EventThreadSettings,
  FromEventThread,
  ThreadStatistics,
  ToEventThread,
} from "../core/thread-messages.ts";
import { createEventOutputs, type EventOutputs } from "./event-outputs.ts";
import { type EventPump, openEventPump } from "./event-pump.ts";

declare const self: Worker;

/** Also without events: files are rotated, and clients are told how many events they missed. */
const flushEveryMs = 250;
const statisticsEveryMs = 1000;
/** At the end: a full ring buffer takes half of it, and the main thread waits for twice as long. */
const finishMs = 1000;

let outputs: EventOutputs | undefined;
let pump: EventPump | undefined;
let posted: ThreadStatistics | undefined;

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
  if (created.ok) outputs = created.value;
  const error = created.ok ? openPump(settings, created.value) : created.error;
  post({ channel: "started", error, firstLost: pump?.firstLost });
  if (error !== undefined) {
    closeParts();
    return;
  }
  setInterval(() => guard(() => outputs?.flush()), flushEveryMs);
  setInterval(() => guard(reportStatistics), statisticsEveryMs);
  if (pump !== undefined) move(pump, settings.wakeFd);
}

/** The error is one line. */
function openPump(
  { records, node, lostBefore }: EventThreadSettings,
  consumer: EventOutputs,
): string | undefined {
  if (records === undefined) return undefined;
  const { nodeName } = node;
  const onCgroupsGone = (cgroupIds: readonly bigint[]): void => post({ channel: "cgroups.gone", cgroupIds });
  const opened = openEventPump({ ...records, nodeName, consumer, lostBefore, onCgroupsGone });
  if (!opened.ok) return opened.error;
  pump = opened.value;
  return undefined;
}

/** Before records are read, the messages that came are handled: each was sent before what it is about can be recorded. */
function move(from: EventPump, wakeFd: number): void {
  const wait = createFileWait([from.fd, wakeFd]);
  const takeSignal = createSignalReader(wakeFd);
  const turn = (): void => {
    if (pump !== from) return;
    const hasMore = from.move();
    setImmediate(() => guard(() => next(hasMore)));
  };
  const next = (hasMore: boolean): void => {
    if (pump !== from) return;
    const ready = wait(hasMore ? 0 : flushEveryMs);
    if (!ready.ok) throw new Error(`cannot wait for events: ${ready.error.message}`);
    takeSignal();
    setImmediate(() => guard(turn));
  };
  setImmediate(() => guard(turn));
}

function reportStatistics(): void {
  if (outputs === undefined) return;
  const statistics = { outputs: outputs.statistics(), records: pump?.tick() ?? noStatistics };
  if (Bun.deepEquals(statistics, posted)) return;
  posted = statistics;
  post({ channel: "statistics", statistics });
}

function closeParts(): void {
  pump?.close();
  pump = undefined;
  outputs?.close();
  outputs = undefined;
}

function stop(): void {
  pump?.finish(finishMs);
  closeParts();
  post({ channel: "stopped" });
}

/** Files and mapped memory are those of the process: a bug that ends this thread must not leave them behind. */
function guard(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (outputs !== undefined && pump !== undefined) {
      const statistics = { outputs: outputs.statistics(), records: pump.abandon() };
      post({ channel: "abandoned", statistics });
    }
    closeParts();
    throw error;
  }
}

const handle = (data: ToEventThread) => {
  switch (data.channel) {
    case "start":
      return start(data.settings);
    case "outputs":
      return outputs?.handle(data.request);
    case "container.put":
      return pump?.putContainer(data.container, data.runsAlready);
    case "container.removed":
      return pump?.removeContainer(data.cgroupId);
    case "rules.put":
      for (const [number, rule] of data.rules) pump?.stream.putRule(number, rule);
      return;
    case "stop":
      return stop();
  }
};

self.onmessage = ({ data }: MessageEvent<ToEventThread>) => guard(() => handle(data));
