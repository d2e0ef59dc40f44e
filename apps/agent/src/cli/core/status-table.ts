// SPDX-License-Identifier: Apache-2.0
// The output of `tetragon status`.

import { describeFailure, isFailureKind } from "@rthooks/explain";
import { type Column, cutText, renderTable, type Screen, type Style, toPrintable } from "@rthooks/terminal";
import { countStates } from "../../base/core/count-states.ts";
import type { ContainerRecord } from "../../containers/core/container-record.ts";
import { renderTime } from "./render-time.ts";

export const shortIdLength = 12;
const columns: readonly Column[] = [
  { title: "NAMESPACE", shrinksTo: 10 },
  { title: "POD", shrinksTo: 20 },
  { title: "CONTAINER", shrinksTo: 10 },
  { title: "STATE" },
  { title: "AGE" },
  { title: "SOURCE" },
  { title: "ID" },
  { title: "CGROUP" },
  { title: "LABELS", shrinksTo: 10 },
];

const empty = [
  "The agent has no containers on record.",
  "If containers start on this node, see what keeps them from the agent: tetragon-oci-hook-setup doctor",
];

/**
 * What needs attention comes first: starts that wait, then failures. A failed container has a second line with the reason, and
 * the first of each kind a third one with what to do next. A terminal gets a last line with the number of containers by state.
 */
export function renderStatus(
  records: readonly ContainerRecord[],
  nowNanos: bigint,
  screen: Screen,
): readonly string[] {
  if (records.length === 0) return empty;
  const sorted = sortRecords(records, (record) => urgencies.indexOf(record.state));
  const rows = sorted.map((record) => [
    { text: record.podNamespace || "-" },
    { text: record.podName || (record.podUid === "" ? "(no pod)" : record.podUid) },
    { text: record.name || "-" },
    { text: record.state, style: toStateStyle(record.state) },
    { text: renderAge(nowNanos - record.reportedAtNanos) },
    { text: record.source },
    { text: record.id.slice(0, shortIdLength) },
    { text: record.cgroupId === 0n ? "-" : `${record.cgroupId}` },
    { text: [...record.podLabels].map(([key, value]) => `${key}=${value}`).join(",") || "-" },
  ]);
  const [header = "", ...lines] = renderTable(columns, rows, screen);
  const advised = new Set<string>();
  const toLines = (title: string, text: string): readonly string[] =>
    text === "" ? [] : [cutText(`  ${title}: ${toPrintable(text)}`, screen.columns, screen.widthOf)];
  const withReasons = sorted.flatMap(({ error, errorKind }, at) => {
    const isNew = isFailureKind(errorKind) && !advised.has(errorKind);
    advised.add(errorKind);
    return [
      lines[at] ?? "",
      ...toLines("reason", error),
      // Not cut: it is the same text for everyone, and all of it is needed.
      ...(isNew ? [`  next: ${describeFailure(errorKind, error).next}`] : []),
    ];
  });
  const isTerminal = screen.columns !== Number.POSITIVE_INFINITY;
  return [header, ...withReasons, ...(isTerminal ? ["", summarize(sorted)] : [])];
}

/** States in the order of their lines; others come before these. */
const urgencies: readonly string[] = ["waiting", "failed", "missing", "released"];

/** "3 containers: 1 waiting, 2 released" */
function summarize(sorted: readonly ContainerRecord[]): string {
  const parts = [...countStates(sorted)].map(([state, count]) => `${count} ${state}`);
  return `${sorted.length} ${sorted.length === 1 ? "container" : "containers"}: ${parts.join(", ")}`;
}

export function toStateStyle(state: string): Style | undefined {
  if (state === "failed") return "red";
  if (state === "gone") return "dim";
  return state === "released" ? undefined : "yellow";
}

export function toStatusDocument(health: string, records: readonly ContainerRecord[]): unknown {
  const containers = sortRecords(records).map(({ podLabels, cgroupId, reportedAtNanos, ...rest }) => ({
    ...rest,
    podLabels: Object.fromEntries(podLabels),
    // A cgroup id has 64 bits, more than a JSON number holds.
    cgroupId: `${cgroupId}`,
    learned: renderTime(reportedAtNanos, 9),
  }));
  return { health, containers };
}

function sortRecords(
  records: readonly ContainerRecord[],
  rank: (record: ContainerRecord) => number = () => 0,
): readonly ContainerRecord[] {
  const keyOf = (record: ContainerRecord): string =>
    [record.podNamespace, record.podName, record.name, record.id].join("\0");
  return [...records].sort((a, b) => rank(a) - rank(b) || (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** One unit, as kubectl shows ages. */
function renderAge(nanos: bigint): string {
  const seconds = Math.max(0, Number(nanos / 1_000_000_000n));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (seconds < 120) return `${seconds}s`;
  if (minutes < 120) return `${minutes}m`;
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}
