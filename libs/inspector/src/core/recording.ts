// SPDX-License-Identifier: Apache-2.0
// What an inspector sent over some time, read from a file of `tetragon inspect --record`.

import type { Explanation, NodeOverview } from "@rthooks/explain";
import type { InspectionEvent } from "xstate";

export interface Recording {
  /** The program whose machines were recorded. */
  readonly program: string;
  /** Unix time in milliseconds. */
  readonly startedMs: number;
  readonly endedMs: number;
  /** By the id of a machine: its configuration as JSON. */
  readonly definitions: ReadonlyMap<string, string>;
  /** As they were recorded: first the actors that lived at the start, with times before it. */
  readonly entries: readonly RecordingEntry[];
}

export type RecordingEntry = InspectedEntry | FactsEntry;

interface InspectedEntry {
  readonly kind: "inspected";
  readonly atMs: number;
  readonly inspected: InspectionEvent;
}

/** What the inspector answered at that time. */
export type FactsEntry =
  | { readonly kind: "overview"; readonly atMs: number; readonly overview: NodeOverview }
  | { readonly kind: "explanation"; readonly atMs: number; readonly explanation: Explanation };
