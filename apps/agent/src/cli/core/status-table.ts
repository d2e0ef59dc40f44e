// SPDX-License-Identifier: Apache-2.0
// The output of `tetragon status`.

import type { ContainerRecord } from "../../containers/core/container-record.ts";
import { cutLine, renderTable, toPrintable } from "./text-table.ts";

const shortIdLength = 12;
const header = ["NAMESPACE", "POD", "CONTAINER", "ID", "CGROUP", "STATE", "AGE", "SOURCE", "LABELS"];

/** A failed container has a second line with the reason, cut to `columns`. */
export function renderStatusTable(
  records: readonly ContainerRecord[],
  nowNanos: bigint,
  columns: number,
): string {
  if (records.length === 0) return "The agent has no containers on record.\n";
  const sorted = sortRecords(records);
  const rows = sorted.map((record) => [
    record.podNamespace || "-",
    record.podName || (record.podUid === "" ? "(no pod)" : record.podUid),
    record.name || "-",
    record.id.slice(0, shortIdLength),
    record.cgroupId === 0n ? "-" : `${record.cgroupId}`,
    record.state,
    renderAge(nowNanos - record.reportedAtNanos),
    record.source,
    [...record.podLabels].map(([key, value]) => `${key}=${value}`).join(",") || "-",
  ]);
  const [headerLine = "", ...lines] = renderTable([header, ...rows]).split("\n");
  const withReasons = sorted.flatMap(({ error }, at) => [
    lines[at] ?? "",
    ...(error === "" ? [] : [cutLine(`  reason: ${toPrintable(error)}`, columns)]),
  ]);
  return `${[headerLine, ...withReasons].join("\n")}\n`;
}

export function renderStatusJson(health: string, records: readonly ContainerRecord[]): string {
  const containers = sortRecords(records).map(({ podLabels, cgroupId, reportedAtNanos, ...rest }) => ({
    ...rest,
    podLabels: Object.fromEntries(podLabels),
    // A cgroup id has 64 bits, more than a JSON number holds.
    cgroupId: `${cgroupId}`,
    learned: renderTime(reportedAtNanos),
  }));
  return `${JSON.stringify({ health, containers }, undefined, 2)}\n`;
}

function sortRecords(records: readonly ContainerRecord[]): readonly ContainerRecord[] {
  const keyOf = (record: ContainerRecord): string =>
    [record.podNamespace, record.podName, record.name, record.id].join("\0");
  return [...records].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function renderTime(nanos: bigint): string {
  const seconds = nanos / 1_000_000_000n;
  const fraction = `${nanos % 1_000_000_000n}`.padStart(9, "0");
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${fraction}Z`;
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
