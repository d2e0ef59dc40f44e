// SPDX-License-Identifier: Apache-2.0
// What became of events: sent to clients of GetEvents, written to the export file, or neither. Names that Tetragon has too
// are Tetragon's (pkg/exporter/metrics.go, pkg/metrics/eventmetrics).

import { Counter, Gauge, type Registry } from "prom-client";

/** Counters since the start. */
export interface MeteredOutputs {
  readonly clients: number;
  /** Sent to clients of GetEvents. */
  readonly sent: number;
  /** Not kept for clients that read too slowly. */
  readonly dropped: number;
  readonly exported: number;
  readonly exportedBytes: number;
  /** Unix time in seconds; 0 before the first. */
  readonly lastExportedAt: number;
  /** Over --export-rate-limit. */
  readonly rateLimited: number;
  /** Not in the export file, because it could not be written. */
  readonly exportFailed: number;
}

/** Returns the function that sets them. */
export function createOutputMetrics(
  named: (
    name: string,
    help: string,
  ) => { readonly name: string; readonly help: string; registers: Registry[] },
): (outputs: MeteredOutputs) => void {
  const clients = new Gauge(named("events_clients", "Clients of GetEvents that are connected."));
  const sent = new Counter(named("events_sent_total", "Events that were sent to clients of GetEvents."));
  const dropped = new Counter(
    named(
      "notify_overflowed_events_total",
      "Events that were not sent to a client of GetEvents, because it did not read the earlier ones in time.",
    ),
  );
  const exported = new Counter(named("events_exported_total", "Events in the export file."));
  const exportedBytes = new Counter(
    named("events_exported_bytes_total", "Bytes of events in the export file."),
  );
  const lastExportedAt = new Gauge(
    named("events_last_exported_timestamp", "Unix time of the last event in the export file, in seconds."),
  );
  const rateLimited = new Counter(
    named(
      "export_ratelimit_events_dropped_total",
      "Events that are not in the export file, because of --export-rate-limit.",
    ),
  );
  const failed = new Counter(
    named(
      "export_failed_events_total",
      "Events that are not in the export file, because it could not be written: a full disk.",
    ),
  );
  return (outputs) => {
    for (const counter of [sent, dropped, exported, exportedBytes, rateLimited, failed]) counter.reset();
    clients.set(outputs.clients);
    sent.inc(outputs.sent);
    dropped.inc(outputs.dropped);
    exported.inc(outputs.exported);
    exportedBytes.inc(outputs.exportedBytes);
    lastExportedAt.set(outputs.lastExportedAt);
    rateLimited.inc(outputs.rateLimited);
    failed.inc(outputs.exportFailed);
  };
}
