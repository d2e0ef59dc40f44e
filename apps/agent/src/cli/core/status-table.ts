// SPDX-License-Identifier: Apache-2.0
// The output of `tetragon status`.

import { type Column, cutText, renderTable, type Screen, type Style, toPrintable } from "@rthooks/terminal";
import type { ContainerRecord } from "../../containers/core/container-record.ts";
import { renderTime } from "./render-time.ts";

export const shortIdLength = 12;
const columns: readonly Column[] = [
  { title: "NAMESPACE", shrinks: true },
  { title: "POD", shrinks: true },
  { title: "CONTAINER", shrinks: true },
  { title: "ID" },
  { title: "CGROUP" },
  { title: "STATE" },
  { title: "AGE" },
  { title: "SOURCE" },
  { title: "LABELS", shrinks: true },
];

/** A failed container has a second line with the reason, cut to the terminal. */
export function renderStatus(
  records: readonly ContainerRecord[],
  nowNanos: bigint,
  screen: Screen,
): readonly string[] {
  if (records.length === 0) return ["The agent has no containers on record."];
  const sorted = sortRecords(records);
  const rows = sorted.map((record) => [
    { text: record.podNamespace || "-" },
    { text: record.podName || (record.podUid === "" ? "(no pod)" : record.podUid) },
    { text: record.name || "-" },
    { text: record.id.slice(0, shortIdLength) },
    { text: record.cgroupId === 0n ? "-" : `${record.cgroupId}` },
    { text: record.state, style: toStateStyle(record.state) },
    { text: renderAge(nowNanos - record.reportedAtNanos) },
    { text: record.source },
    { text: [...record.podLabels].map(([key, value]) => `${key}=${value}`).join(",") || "-" },
  ]);
  const [header = "", ...lines] = renderTable(columns, rows, screen);
  const withReasons = sorted.flatMap(({ error }, at) => [
    lines[at] ?? "",
    ...(error === "" ? [] : [cutText(`  reason: ${toPrintable(error)}`, screen.columns, screen.widthOf)]),
  ]);
  return [header, ...withReasons];
}

export function toStateStyle(state: string): Style | undefined {
  if (state === "failed" || state === "refused") return "red";
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

function sortRecords(records: readonly ContainerRecord[]): readonly ContainerRecord[] {
  const keyOf = (record: ContainerRecord): string =>
    [record.podNamespace, record.podName, record.name, record.id].join("\0");
  return [...records].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
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
