// SPDX-License-Identifier: Apache-2.0
// Messages between the main thread and the thread of the events.

import type { EventRecord, RecordKind } from "@rthooks/bpf";
import type { RuleReport } from "@rthooks/policy";
import type { AgentEvent, EventContainer } from "./agent-event.ts";
import type { ExportSettings } from "./export-settings.ts";
import type { LostBefore, LostCounts } from "./lost-counter.ts";
import type { OutputReport, OutputRequest, OutputStatistics } from "./output-messages.ts";
import type { ReportedRule } from "./to-match-events.ts";

/** Of the node, for each event. */
export interface EventNode {
  readonly nodeName: string;
  readonly clusterName: string;
  /** Of system calls: "x64" or "arm64". */
  readonly abi: string;
}

export interface EventThreadSettings {
  readonly node: EventNode;
  readonly export: ExportSettings | undefined;
  /** Undefined where the programs in the kernel tell nothing. */
  readonly records: RecordSource | undefined;
  /** Undefined for the first thread of the agent. */
  readonly lostBefore: LostBefore | undefined;
  /** Descriptor of a WakeSignal: there are messages for the thread. */
  readonly wakeFd: number;
}

export interface RecordSource {
  /** In a bpf file system, with the maps of bpf/events.h. */
  readonly directory: string;
  readonly procfs: string;
  /** Root of the cgroup hierarchy. */
  readonly cgroupRoot: string;
}

export type ToEventThread =
  /** The first. */
  | { readonly channel: "start"; readonly settings: EventThreadSettings }
  | { readonly channel: "outputs"; readonly request: OutputRequest }
  /** `runsAlready`: it has processes that are older than any record about it. */
  | { readonly channel: "container.put"; readonly container: EventContainer; readonly runsAlready: boolean }
  | { readonly channel: "container.removed"; readonly cgroupId: bigint }
  | { readonly channel: "rules.put"; readonly rules: readonly NumberedRule[] }
  /** The last: what is collected is written, and "stopped" is the answer. */
  | { readonly channel: "stop" };

export type NumberedRule = readonly [number: number, rule: ReportedRule];

export type FromEventThread =
  /** `error`: why it ends, in one line; undefined where it runs. `firstLost`: for the next thread. */
  | {
      readonly channel: "started";
      readonly error: string | undefined;
      readonly firstLost?: LostCounts | undefined;
    }
  | { readonly channel: "stopped" }
  | { readonly channel: "outputs"; readonly report: OutputReport }
  | { readonly channel: "statistics"; readonly statistics: ThreadStatistics }
  /** The last message of a thread that a bug has ended. */
  | { readonly channel: "abandoned"; readonly statistics: ThreadStatistics }
  /** The root cgroups of these containers were removed. */
  | { readonly channel: "cgroups.gone"; readonly cgroupIds: readonly bigint[] }
  | {
      readonly channel: "log";
      readonly level: "info" | "warn" | "error";
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number>>;
    };

export interface ThreadStatistics {
  readonly outputs: OutputStatistics;
  readonly records: EventStatistics;
}

/** Matches by the message that they become. */
type EventKind = Exclude<AgentEvent["kind"], "match"> | RuleReport["event"];

/** Counters since the start of the thread, but for the last two. */
export interface EventStatistics {
  readonly records: Readonly<Record<EventRecord["kind"], number>>;
  /** Records that are not what the programs of this version write. */
  readonly unreadable: number;
  readonly events: Readonly<Record<EventKind, number>>;
  /** Records that were read and did not become events: a bug ended the thread, or no rule of them is known any more. */
  readonly abandoned: number;
  /** Processes that were removed from the cache to make room. */
  readonly evicted: number;
  /** Records for which the ring buffer had no room, by kind: since the start of the agent. */
  readonly lost: Readonly<Record<RecordKind, number>>;
  /** Processes in the cache now. */
  readonly processes: number;
}
