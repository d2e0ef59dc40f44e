// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import type { Screen } from "@rthooks/terminal";
import type { ContainerRecord } from "../../containers/core/container-record.ts";
import { renderStatus, toStatusDocument } from "./status-table.ts";

const record: ContainerRecord = {
  id: "0123456789abcdef",
  name: "app",
  image: "nginx",
  podUid: "u",
  podName: "web-0",
  podNamespace: "shop",
  podLabels: new Map([["app", "web"]]),
  cgroupPath: "/kubepods/podu/0123456789abcdef",
  cgroupId: 18446744073709551615n,
  state: "released",
  source: "hook",
  reportedAtNanos: 1_700_000_000_123_456_789n,
  error: "",
  errorKind: "",
};
const toScreen = (columns: number): Screen => ({
  columns,
  widthOf: Bun.stringWidth,
  paint: (_, text) => text,
});
const pipe = toScreen(Number.POSITIVE_INFINITY);
const now = record.reportedAtNanos + 65_000_000_000n;

test("the table has one aligned line per container, sorted", () => {
  const other = {
    ...record,
    podNamespace: "bank",
    state: "failed",
    error: "no cgroup",
    podLabels: new Map(),
  };
  const lines = renderStatus([record, other], now, pipe);
  expect(lines[0]).toMatch(/^NAMESPACE +POD +CONTAINER +STATE +AGE +SOURCE +ID +CGROUP +LABELS$/);
  expect(lines[1]).toMatch(/^bank +web-0 +app +failed +65s +hook +0123456789ab +18446744073709551615 +-$/);
  expect(lines[2]).toBe("  reason: no cgroup");
  expect(lines[3]).toMatch(/^shop .* released +65s +hook +0123456789ab +18446744073709551615 +app=web$/);
});

test("a container without a pod, a name or a cgroup has a line too", () => {
  const bare = { ...record, podUid: "", podName: "", podNamespace: "", name: "", cgroupId: 0n };
  expect(renderStatus([bare], now, pipe)[1]).toMatch(
    /^- +\(no pod\) +- +released +65s +hook +0123456789ab +-/,
  );
});

test("a reason is cut to the terminal, and widens no column", () => {
  const failed = { ...record, state: "failed", error: `no cgroup ${"x".repeat(300)}` };
  const lines = renderStatus([failed, { ...record, name: "apq" }], now, toScreen(40));
  expect(lines[2]).toBe(`  reason: no cgroup ${"x".repeat(19)}…`);
  expect(Math.max(...lines.map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(40);
});

test("what waits comes first, then failures, and the advice for one kind is given once", () => {
  const failed = { ...record, state: "failed", errorKind: "filter-full", error: "no room" };
  const records = [
    record,
    { ...failed, name: "f2" },
    { ...failed, name: "f1" },
    { ...failed, name: "f3", errorKind: "plugin", error: "too large" },
    { ...record, name: "z", state: "waiting" },
  ];
  const lines = renderStatus(records, now, toScreen(200));
  const starts = lines
    .map((line) => line.trim().split(/ +/))
    .map(([first = "", , third = ""]) => (first === "shop" ? third : first));
  expect(starts).toEqual([
    ...["NAMESPACE", "z", "f1", "reason:", "next:", "f2", "reason:", "f3", "reason:", "next:", "app"],
    ...["", "5"],
  ]);
  expect(lines.at(-1)).toBe("5 containers: 1 waiting, 3 failed, 1 released");
  expect(lines[4]).toContain("tetragon policies");
  expect(renderStatus(records, now, pipe)).toHaveLength(lines.length - 2);
});

test("no containers, no table", () => {
  expect(renderStatus([], now, pipe)).toEqual([
    "The agent has no containers on record.",
    expect.stringContaining("tetragon-oci-hook-setup doctor"),
  ]);
  expect(toStatusDocument("running", [])).toEqual({ health: "running", containers: [] });
});

test("a name cannot steer the terminal", () => {
  const lines = renderStatus([{ ...record, podName: "a\u001b[2J\nb\u202e" }], now, pipe);
  expect(lines).toHaveLength(2);
  expect(lines[1]).toContain("a\\u{1b}[2J\\u{a}b\\u{202e} ");
});

test("JSON has everything, ids as text, time to the nanosecond", () => {
  expect(toStatusDocument("running", [record])).toEqual({
    health: "running",
    containers: [
      {
        id: record.id,
        name: "app",
        image: "nginx",
        podUid: "u",
        podName: "web-0",
        podNamespace: "shop",
        podLabels: { app: "web" },
        cgroupPath: record.cgroupPath,
        cgroupId: "18446744073709551615",
        state: "released",
        source: "hook",
        learned: "2023-11-14T22:13:20.123456789Z",
        error: "",
        errorKind: "",
      },
    ],
  });
});

test.each([
  { seconds: 0n, age: "0s" },
  { seconds: 119n, age: "119s" },
  { seconds: 120n, age: "2m" },
  { seconds: 7_200n, age: "2h" },
  { seconds: 172_800n, age: "2d" },
  // The clock was set back.
  { seconds: -5n, age: "0s" },
])("$seconds seconds are $age", ({ seconds, age }) => {
  const lines = renderStatus([record], record.reportedAtNanos + seconds * 1_000_000_000n, pipe);
  expect(lines[1]?.split(/ {2,}/)[4]).toBe(age);
});
