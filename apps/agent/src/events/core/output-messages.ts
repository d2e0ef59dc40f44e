// SPDX-License-Identifier: Apache-2.0
// What the main thread, which has the connections of clients, and the thread of the events send each other. The bytes are
// protobuf messages; the main thread does not read them.

import type { MeteredOutputs } from "../../base/core/output-metrics.ts";

/** To the thread of the events. `client`: a number that the main thread chose. */
export type OutputRequest =
  | { readonly kind: "subscribe"; readonly client: number; readonly request: Uint8Array }
  /** The connection of the client has taken so many of the events that were sent. */
  | { readonly kind: "taken"; readonly client: number; readonly events: number }
  | { readonly kind: "unsubscribe"; readonly client: number };

/** Why a call ends. */
export type OutputEnd = "invalid" | "too-expensive";

/** To the main thread. */
export type OutputReport =
  /** Events one after the other; `ends`: where each ends in `bytes`. */
  | {
      readonly kind: "events";
      readonly client: number;
      readonly bytes: Uint8Array<ArrayBuffer>;
      readonly ends: readonly number[];
    }
  | { readonly kind: "end"; readonly client: number; readonly why: OutputEnd; readonly details: string };

export type OutputStatistics = Omit<MeteredOutputs, "clients">;

export const noOutput: OutputStatistics = {
  ...{
    sent: 0,
    dropped: 0,
    exported: 0,
    exportedBytes: 0,
    lastExportedAt: 0,
    rateLimited: 0,
    exportFailed: 0,
  },
};

/** Counters of a thread and its successor. */
export const addOutput = (before: OutputStatistics, now: OutputStatistics): OutputStatistics => ({
  sent: before.sent + now.sent,
  dropped: before.dropped + now.dropped,
  exported: before.exported + now.exported,
  exportedBytes: before.exportedBytes + now.exportedBytes,
  lastExportedAt: Math.max(before.lastExportedAt, now.lastExportedAt),
  rateLimited: before.rateLimited + now.rateLimited,
  exportFailed: before.exportFailed + now.exportFailed,
});
