// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import type { ContainerRecord } from "../../containers/core/container-record.ts";
import { renderStatusJson, renderStatusTable } from "./status-table.ts";

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
};
const now = record.reportedAtNanos + 65_000_000_000n;

test("the table has one aligned line per container, sorted", () => {
  const other = {
    ...record,
    podNamespace: "bank",
    state: "failed",
    error: "no cgroup",
    podLabels: new Map(),
  };
  const lines = renderStatusTable([record, other], now, Infinity).split("\n");
  expect(lines[0]).toMatch(/^NAMESPACE +POD +CONTAINER +ID +CGROUP +STATE +AGE +SOURCE +LABELS$/);
  expect(lines[1]).toMatch(/^bank +web-0 +app +0123456789ab +18446744073709551615 +failed +65s +hook +-$/);
  expect(lines[2]).toBe("  reason: no cgroup");
  expect(lines[3]).toMatch(/^shop .* released +65s +hook +app=web$/);
});

test("a container without a pod, a name or a cgroup has a line too", () => {
  const bare = { ...record, podUid: "", podName: "", podNamespace: "", name: "", cgroupId: 0n };
  expect(renderStatusTable([bare], now, Infinity)).toMatch(/\n- +\(no pod\) +- +0123456789ab +- +released/);
});

test("a reason is cut to the terminal, and widens no column", () => {
  const failed = { ...record, state: "failed", error: `no cgroup ${"x".repeat(300)}` };
  const lines = renderStatusTable([failed, { ...record, name: "apq" }], now, 40).split("\n");
  expect(lines[2]).toBe(`  reason: no cgroup ${"x".repeat(19)}…`);
  expect(lines[1]?.length).toBe(lines[3]?.length);
});

test("no containers, no table", () => {
  expect(renderStatusTable([], now, Infinity)).toBe("The agent has no containers on record.\n");
  expect(JSON.parse(renderStatusJson("running", []))).toEqual({ health: "running", containers: [] });
});

test("a name cannot steer the terminal", () => {
  const text = renderStatusTable([{ ...record, podName: "a\u001b[2J\nb\u202e" }], now, Infinity);
  expect(text.split("\n")).toHaveLength(3);
  expect(text).toContain("a\\u{1b}[2J\\u{a}b\\u{202e} ");
});

test("JSON has everything, ids as text, time to the nanosecond", () => {
  expect(JSON.parse(renderStatusJson("running", [record]))).toEqual({
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
  const text = renderStatusTable([record], record.reportedAtNanos + seconds * 1_000_000_000n, Infinity);
  expect(text.split("\n")[1]?.split(/ {2,}/)[6]).toBe(age);
});
