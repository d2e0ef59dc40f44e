// SPDX-License-Identifier: Apache-2.0
// What `tetragon watch` prints: one line for each change.

import {
  type Cell,
  type Column,
  createGrowingTable,
  type OutputFormat,
  renderStreamed,
  type Screen,
} from "@rthooks/terminal";
import { renderTime } from "./render-time.ts";
import { shortIdLength, toStateStyle } from "./status-table.ts";

/** One message of the agent, or what happened to the connection. */
export type WatchMessage =
  | { readonly kind: "recorded" | "change"; readonly change: WatchedChange }
  | { readonly kind: "all-recorded"; readonly containers: number }
  | { readonly kind: "missed"; readonly changes: number };

export interface WatchedChange {
  readonly id: string;
  readonly name: string;
  readonly podNamespace: string;
  readonly podName: string;
  /** Empty for a container that was not on record. */
  readonly from: string;
  readonly to: string;
  readonly source: string;
  readonly cgroupId: bigint;
  readonly event: string;
  readonly error: string;
  readonly unixNanos: bigint;
}

export interface WatchOutput {
  /** The text for standard output; may be empty. */
  render(event: WatchMessage): string;
}

/** The least widths without ID, SOURCE and FROM are 80 together; the longest states and reasons come late. */
const columns: readonly Column[] = [
  { title: "TIME", atLeast: 13, leaveOut: 5 },
  { title: "NAMESPACE", shrinksTo: 8 },
  { title: "POD", shrinksTo: 15 },
  { title: "CONTAINER", shrinksTo: 8, leaveOut: 4 },
  { title: "ID", leaveOut: 1 },
  { title: "FROM", atLeast: 8, leaveOut: 3 },
  { title: "TO", atLeast: 8 },
  { title: "SOURCE", leaveOut: 2 },
  { title: "REASON", atLeast: 18, shrinksTo: 18 },
];

/** `nowNanos`: Unix time, of what has no time of its own. */
export function createWatchOutput(format: OutputFormat, screen: Screen, nowNanos: () => bigint): WatchOutput {
  return format === "table"
    ? createTableOutput(screen, nowNanos)
    : { render: (event) => renderStreamed(format, toDocument(event, nowNanos())) };
}

function createTableOutput(screen: Screen, nowNanos: () => bigint): WatchOutput {
  const table = createGrowingTable(columns, screen);
  /** The containers on record are aligned together. */
  let recorded: (readonly Cell[])[] = [];
  const print = (rows: readonly (readonly Cell[])[]): string =>
    table
      .add(rows)
      .map((line) => `${line}\n`)
      .join("");
  const isTerminal = screen.columns !== Number.POSITIVE_INFINITY;
  const toRow = (change: WatchedChange): readonly Cell[] => {
    const { unixNanos } = change;
    const time = isTerminal ? renderShortTime(unixNanos, nowNanos()) : renderTime(unixNanos, 3);
    return [{ text: time }, ...toCells(change)];
  };
  return {
    render(event) {
      switch (event.kind) {
        case "recorded":
          recorded.push(toRow(event.change));
          if (recorded.length < largestGroup) return "";
          return print(recorded.splice(0));
        case "all-recorded": {
          const rows = recorded;
          recorded = [];
          return print(rows);
        }
        case "change":
          return print([toRow(event.change)]);
        case "missed":
          return `${screen.paint("yellow", describeMissed(event.changes))}\n`;
      }
    },
  };
}

const largestGroup = 1000;

const describeMissed = (changes: number): string =>
  `... ${changes} ${changes === 1 ? "change is" : "changes are"} missing: this program did not read fast enough`;

/** The time of the day, or the date of what is older than a day; in UTC. */
const renderShortTime = (nanos: bigint, nowNanos: bigint): string =>
  nowNanos - nanos < dayNanos ? renderTime(nanos, 3).slice(11) : renderTime(nanos, 3).slice(0, 10);

const dayNanos = 86_400_000_000_000n;

const toCells = ({ id, name, podNamespace, podName, from, to, source, ...rest }: WatchedChange) => [
  { text: podNamespace || "-" },
  { text: podName || "-" },
  { text: name || "-" },
  { text: id.slice(0, shortIdLength) || "-" },
  { text: from || "-" },
  { text: to, style: toStateStyle(to) },
  { text: source || "-" },
  { text: rest.error || (reasons[rest.event] ?? "-") },
];

/** What the last event of a container's machine means for its end. */
const reasons: Readonly<Partial<Record<string, string>>> = {
  "cgroup.vanished": "its cgroup is gone",
  "container.stopped": "the runtime reported its end",
  "pod.deleted": "its pod was deleted before it started",
  "call.waits": "its pod has not arrived from the API server yet",
  "failure.discarded": "newer failures took its place",
  "xstate.after.failureRetention.container.failed": "--failure-retention is over",
};

/** Plain JSON. `type` says which other fields there are. */
function toDocument(event: WatchMessage, nowNanos: bigint): unknown {
  switch (event.kind) {
    case "recorded":
    case "change": {
      const { cgroupId, unixNanos, ...rest } = event.change;
      // A cgroup id has 64 bits, more than a JSON number holds.
      return { type: event.kind, time: renderTime(unixNanos, 9), ...rest, cgroupId: `${cgroupId}` };
    }
    case "all-recorded":
      return { type: event.kind, time: renderTime(nowNanos, 9), containers: event.containers };
    case "missed":
      return { type: event.kind, time: renderTime(nowNanos, 9), changes: event.changes };
  }
}
