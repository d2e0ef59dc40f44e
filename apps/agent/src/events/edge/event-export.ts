// SPDX-License-Identifier: Apache-2.0
// The export: events as JSON lines in a file. What cannot be written is counted, and does not stop the events of others.

import { ok, type Result } from "@rthooks/result";
import type { AgentEvent } from "../core/agent-event.ts";
import type { EventSubject } from "../core/event-subject.ts";
import type { ExportSettings } from "../core/export-settings.ts";
import { createRateLimit } from "../core/rate-limit.ts";
import type { EventEncoder } from "../wire/encode-event.ts";
import type { EventWishes } from "../wire/read-request.ts";
import { openExportFile } from "./export-file.ts";

export interface EventExport {
  publish(event: AgentEvent, subject: EventSubject, encoder: EventEncoder): void;
  /** Writes what was published since the last call. */
  flush(): void;
  statistics(): {
    readonly exported: number;
    readonly exportedBytes: number;
    readonly lastExportedAt: number;
    readonly rateLimited: number;
    readonly exportFailed: number;
  };
  close(): void;
}

/** Lines that are collected before they are written. */
const maxPendingLength = 1024 * 1024;
const reportEveryMs = 60_000;
const warnEveryMs = 10_000;

export interface ExportPorts {
  /** Of a clock that is never set back: intervals and limits go on when that of the node is. */
  nowMs(): number;
  /** For the names of older files. */
  unixMs(): number;
  /** A line of JSON about events that are not in the file. */
  toDropsJson(count: number): string;
  warn(message: string, fields: Readonly<Record<string, string | number>>): void;
}

export function openEventExport(
  settings: ExportSettings,
  wishes: EventWishes,
  { nowMs, unixMs, toDropsJson, warn }: ExportPorts,
): Result<EventExport, string> {
  let lastWarnedMs = Number.NEGATIVE_INFINITY;
  const onError = (error: string): void => {
    if (nowMs() - lastWarnedMs < warnEveryMs) return;
    lastWarnedMs = nowMs();
    warn("events are missing in the export file", { err: error, missing: exportFailed });
  };
  const opened = openExportFile(settings, unixMs, onError);
  if (!opened.ok) return opened;
  const file = opened.value;
  const { rotationIntervalMs, rateLimit } = settings;
  const isAllowed = rateLimit === undefined ? () => true : createRateLimit(rateLimit, nowMs);
  let lines: string[] = [];
  let length = 0;
  let [exported, exportedBytes, rateLimited, exportFailed, lastExportedAt] = [0, 0, 0, 0, 0];
  let lastTimeNs = 0n;
  /** Rate-limited or not written, and not yet said in the file. */
  let untold = 0;
  let rotatedMs = nowMs();
  let reportedMs = nowMs();

  const write = (): void => {
    if (lines.length === 0) return;
    const count = lines.length;
    const bytes = Buffer.from(`${lines.join("\n")}\n`);
    lines = [];
    length = 0;
    const written = file.write(bytes);
    if (written.ok) {
      exported += count;
      exportedBytes += bytes.length;
      lastExportedAt = Number(lastTimeNs / 1_000_000_000n);
    } else {
      exportFailed += count;
      untold += count;
      onError(written.error);
    }
  };
  const add = (line: string): void => {
    lines.push(line);
    length += line.length;
    if (length >= maxPendingLength) write();
  };

  return ok({
    publish(event, subject, encoder) {
      if (!wishes.matches(subject)) return;
      if (!isAllowed()) {
        rateLimited++;
        untold++;
        return;
      }
      lastTimeNs = event.timeNs;
      add(encoder.toJson(wishes));
    },
    flush() {
      const now = nowMs();
      if (now - reportedMs >= reportEveryMs) {
        reportedMs = now;
        const count = untold;
        untold = 0;
        if (count > 0 && wishes.wantsDrops) add(toDropsJson(count));
      }
      write();
      if (rotationIntervalMs > 0 && now - rotatedMs >= rotationIntervalMs) {
        rotatedMs = now;
        const rotated = file.rotate();
        if (!rotated.ok) onError(rotated.error);
      }
    },
    statistics: () => ({ exported, exportedBytes, lastExportedAt, rateLimited, exportFailed }),
    close() {
      write();
      file.close();
    },
  });
}
