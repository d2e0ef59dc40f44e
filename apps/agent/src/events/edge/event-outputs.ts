// SPDX-License-Identifier: Apache-2.0
// Where events go: to the clients of GetEvents and into the export file. In the thread of the events.

import { err, ok, type Result } from "@rthooks/result";
import type { AgentEvent } from "../core/agent-event.ts";
import { createEventClients } from "../core/event-clients.ts";
import { eventTypes, toSubject, toSubjectProcess } from "../core/event-subject.ts";
import type { OutputReport, OutputRequest, OutputStatistics } from "../core/output-messages.ts";
import { rememberAnswers } from "../core/remember-answers.ts";
import type { EventThreadSettings } from "../core/thread-messages.ts";
import { createEventEncoders, type EventEncoder, wholeEvent } from "../wire/encode-event.ts";
import { type EventWishes, readRequest } from "../wire/read-request.ts";
import { type EventExport, openEventExport } from "./event-export.ts";

export interface EventOutputs {
  /** In the order of time. Does nothing where no one wants events. */
  publish(event: AgentEvent): void;
  /** After each batch of events, and at least once a second: hands them to clients and into the file. */
  flush(): void;
  handle(request: OutputRequest): void;
  isWanted(): boolean;
  statistics(): OutputStatistics;
  close(): void;
}

export interface EventOutputsOptions extends Pick<EventThreadSettings, "node" | "export"> {
  /** To the main thread. */
  post(report: OutputReport): void;
  warn(message: string, fields: Readonly<Record<string, string | number>>): void;
}

/** Processes of which is kept what filters look at. */
const maxProcesses = 512;

const noExport = { exported: 0, exportedBytes: 0, lastExportedAt: 0, rateLimited: 0, exportFailed: 0 };

/** The error says why the export file cannot be used. */
export function createEventOutputs(options: EventOutputsOptions): Result<EventOutputs, string> {
  const { node, post } = options;
  const nowMs = () => performance.now();
  const toEncoder = createEventEncoders(node);
  const toProcess = rememberAnswers(maxProcesses, toSubjectProcess);
  const toDrops = (count: number): EventEncoder => {
    const timeNs = BigInt(Date.now()) * 1_000_000n;
    return toEncoder({ kind: "lost", timeNs, count: BigInt(count) }, eventTypes.RATE_LIMIT_INFO);
  };
  const opened = openExport(options, nowMs, (count) => toDrops(count).toJson(wholeEvent));
  if (!opened.ok) return opened;
  const exported = opened.value;
  const clients = createEventClients<EventWishes>({
    post,
    encodeDrops: (count) => toDrops(count).toBytes(wholeEvent),
    nowMs,
  });

  const isWanted = (): boolean => exported !== undefined || clients.size > 0;
  return ok({
    publish(event) {
      if (!isWanted()) return;
      const subject = toSubject(event, toProcess);
      const encoder = toEncoder(event, subject.type);
      exported?.publish(event, subject, encoder);
      clients.publish(subject, encoder.toBytes);
    },
    flush() {
      exported?.flush();
      clients.flush();
    },
    handle(request) {
      const { client } = request;
      switch (request.kind) {
        case "subscribe": {
          const wishes = readRequest(request.request, nowMs);
          if (wishes.ok) clients.add(client, wishes.value);
          else post({ kind: "end", client, why: "invalid", details: wishes.error });
          return;
        }
        case "taken":
          return clients.taken(client, request.events);
        case "unsubscribe":
          return clients.remove(client);
      }
    },
    isWanted,
    statistics: () => ({
      sent: clients.sent,
      dropped: clients.dropped,
      ...(exported?.statistics() ?? noExport),
    }),
    close: () => exported?.close(),
  });
}

function openExport(
  { export: settings, warn }: EventOutputsOptions,
  nowMs: () => number,
  toDropsJson: (count: number) => string,
): Result<EventExport | undefined, string> {
  if (settings === undefined) return ok(undefined);
  const wishes = readRequest(settings.request, nowMs);
  if (!wishes.ok) return err(`the filters of the export: ${wishes.error}`);
  return openEventExport(settings, wishes.value, { nowMs, unixMs: Date.now, toDropsJson, warn });
}
