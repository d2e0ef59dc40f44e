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

/** Of lines that are collected before they are written. One that is longer makes more room. */
const maxPendingBytes = 1024 * 1024;
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
  let pending = Buffer.allocUnsafe(maxPendingBytes);
  let count = 0;
  let length = 0;
  let [exported, exportedBytes, rateLimited, exportFailed, lastExportedAt] = [0, 0, 0, 0, 0];
  let lastTimeNs = 0n;
  /** Rate-limited or not written, and not yet said in the file. */
  let untold = 0;
  let rotatedMs = nowMs();
  let reportedMs = nowMs();

  const write = (): void => {
    if (count === 0) return;
    const written = file.write(pending.subarray(0, length));
    if (written.ok) {
      exported += count;
      exportedBytes += length;
      lastExportedAt = Number(lastTimeNs / 1_000_000_000n);
    } else {
      exportFailed += count;
      untold += count;
      onError(written.error);
    }
    [count, length] = [0, 0];
  };
  const add = (line: string): void => {
    // A character has 3 bytes at most.
    const atMost = line.length * 3 + 1;
    if (length + atMost > pending.length) write();
    if (atMost > pending.length) pending = Buffer.allocUnsafe(atMost);
    length += pending.write(line, length);
    pending[length++] = 0x0a;
    count++;
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
