// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import type { DeniedStart } from "@rthooks/explain";
import type { ContainerReport } from "@rthooks/machines/pod";
import { createDeniedStarts } from "./denied-starts.ts";
import { createStartObserver } from "./start-observer.ts";
import { unwatched } from "./unwatched.fixture.ts";
import { createWaitingStarts } from "./waiting-starts.ts";

const report: ContainerReport = {
  ...{
    containerId: "c1",
    seenAtNanos: 0n,
    arrivedMs: undefined,
    containerName: "app",
    image: "web:1",
    podUid: undefined,
  },
  ...{ podNamespace: "shop", podName: "web-0", podLabels: undefined, source: "hook" },
  ...{ cgroupsPath: "/c", cgroup: undefined, answerByMs: Number.POSITIVE_INFINITY },
};
const full = { kind: "filter-full", message: "no room" } as const; // const: a literal
const start: DeniedStart = {
  ...{ containerId: "c1", namespace: "shop", pod: "web-0", container: "app", atMs: 0, by: "agent" },
  failure: { kind: "filter-full", what: "It failed.", next: "Make room.", message: "no room" },
};
const hourMs = 3_600_000;

function open() {
  const waiting = createWaitingStarts();
  const denied = createDeniedStarts();
  const observer = createStartObserver(waiting, denied, unwatched, () => 1000);
  return { waiting, denied, ...observer };
}

describe("a hook call", () => {
  test("waits until its answer", () => {
    const { waiting, denied, begin } = open();
    const settle = begin(report);
    const settleAgain = begin({ ...report });
    settle(undefined);
    expect(waiting.list()).toEqual([report]);
    settleAgain(undefined);
    expect(waiting.list()).toEqual([]);
    expect(denied.list(1000)).toEqual({ starts: [], count: 0 });
  });

  test("that is refused is listed with what to do", () => {
    const { denied, begin } = open();
    begin(report)(full);
    expect(denied.list(1000).starts).toMatchObject([
      { containerId: "c1", namespace: "shop", pod: "web-0", container: "app", atMs: 1000, by: "agent" },
    ]);
    expect(denied.list(1000).starts[0]?.failure).toMatchObject({
      kind: "filter-full",
      next: expect.stringContaining("policies"),
      message: "no room",
    });
  });

  test("for a running container neither waits nor is denied", () => {
    const { waiting, denied, begin } = open();
    const settle = begin({ ...report, source: "synchronize" });
    expect(waiting.list()).toEqual([]);
    settle(full);
    expect(denied.list(1000).count).toBe(0);
  });

  test("that the plugin denies has the names of its record", () => {
    const { denied, deniedByPlugin } = open();
    deniedByPlugin("c2", "too many mounts", undefined);
    expect(denied.list(1000).starts).toMatchObject([
      { containerId: "c2", by: "nri", failure: { kind: "plugin", message: "too many mounts" } },
    ]);
  });
});

describe("denied starts", () => {
  test("a second report of the same start changes only who denied it", () => {
    const denied = createDeniedStarts();
    denied.add(start);
    const later = { ...start.failure, message: "refused by the agent" };
    denied.add({ ...start, by: "hook", atMs: 50, failure: later });
    denied.add({ ...start, by: "agent", atMs: 60, failure: later });
    expect(denied.list(100)).toEqual({ starts: [{ ...start, by: "hook" }], count: 1 });
  });

  test("a later start of the same container is another one", () => {
    const denied = createDeniedStarts();
    denied.add(start);
    denied.add({ ...start, atMs: 90_000 });
    expect(denied.list(90_000)).toEqual({ starts: [{ ...start, atMs: 90_000 }], count: 2 });
  });

  test("a start that the fail check allows is none of them", () => {
    const denied = createDeniedStarts();
    denied.add(start);
    denied.remove("c1");
    expect(denied.list(100).count).toBe(0);
  });

  test("those of the last hour count, the newest first, also where there are too many to list", () => {
    const denied = createDeniedStarts();
    for (let at = 0; at < 1500; at++) denied.add({ ...start, containerId: `c${at}`, atMs: at });
    const { starts, count } = denied.list(1500);
    expect([starts.length, starts[0]?.containerId, count]).toEqual([1000, "c1499", 1500]);
    expect(denied.list(hourMs + 700).starts.at(-1)?.containerId).toBe("c700");
    expect(denied.list(hourMs + 60_000)).toEqual({ starts: [], count: 0 });
  });

  test("texts of callers are cut", () => {
    const denied = createDeniedStarts();
    denied.add({ ...start, pod: "x".repeat(64_000) });
    expect(denied.list(0).starts[0]?.pod).toHaveLength(501);
  });
});
