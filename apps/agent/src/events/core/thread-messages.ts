// SPDX-License-Identifier: Apache-2.0
// Messages between the main thread and the thread of the events.

import type { ExportSettings } from "./export-settings.ts";
import type { OutputReport, OutputRequest, OutputStatistics } from "./output-messages.ts";

/** Of the node, for each event. */
export interface EventNode {
  readonly nodeName: string;
  readonly clusterName: string;
  /** When the node was booted, as Unix time: start times of processes count from it. */
  readonly bootNs: bigint;
  /** Of system calls: "x64" or "arm64". */
  readonly abi: string;
}

export interface EventThreadSettings {
  readonly node: EventNode;
  readonly export: ExportSettings | undefined;
}

export type ToEventThread =
  /** The first. */
  | { readonly channel: "start"; readonly settings: EventThreadSettings }
  | { readonly channel: "outputs"; readonly request: OutputRequest }
  /** The last: what is collected is written, and "stopped" is the answer. */
  | { readonly channel: "stop" };

export type FromEventThread =
  /** `error`: why it ends, in one line; undefined where it runs. */
  | { readonly channel: "started"; readonly error: string | undefined }
  | { readonly channel: "stopped" }
  | { readonly channel: "outputs"; readonly report: OutputReport }
  | { readonly channel: "statistics"; readonly statistics: OutputStatistics }
  | {
      readonly channel: "log";
      readonly level: "info" | "warn" | "error";
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number>>;
    };
