// SPDX-License-Identifier: Apache-2.0
// What the lifecycle keeps for explanations.
import { describe, expect, test } from "bun:test";
import { parseHookRequest, toRefusedReport } from "./hook-request.ts";
import { emptyFields, open, otherUid, retentionMs, uid, web } from "./lifecycle.fixture.ts";

const path = "/kubepods/x/c1";
const fields = {
  ...emptyFields,
  cgroupsPath: path,
  containerId: "c1",
  containerName: "app",
  podName: "web-0",
  podNamespace: "shop",
  podUid: uid,
};

/** The lifecycle with a monotonic clock that goes on by one with each look at it. */
function openTimed() {
  const opened = open({ ticks: true });
  opened.cgroups.set(path, 7n);
  const call = (change: Partial<typeof fields> = {}, seenAtNanos = 1_000n): void => {
    const parsed = parseHookRequest({ ...fields, ...change }, seenAtNanos, undefined, 0);
    if (!parsed.ok) throw new Error(parsed.error.message);
    opened.lifecycle.report(parsed.value.report, () => {});
  };
  return { ...opened, call, facts: (id = "c1") => opened.lifecycle.findFacts(id) };
}
const synchronized = { podLabels: undefined, source: "synchronize" };

describe("the times of a start", () => {
  test("are those of its steps, in their order", () => {
    const { call, facts } = openTimed();
    call();
    const {
      arrivedMs = -1,
      lookupMs = -1,
      filterMs = -1,
      writtenMs = -1,
      answeredMs = -1,
    } = facts()?.times ?? {};
    const steps = [arrivedMs, lookupMs, filterMs, writtenMs, answeredMs];
    expect(steps).toEqual([...new Set(steps)].toSorted((one, other) => one - other));
    expect(steps[0]).toBe(0);
  });

  test("stay when the call is repeated, with the same cgroup or with another one", () => {
    const { call, facts, cgroups } = openTimed();
    call();
    const times = { ...facts()?.times };
    call();
    cgroups.set(path, 8n);
    call({}, 2_000n);
    expect(facts()?.cgroup?.id).toBe(8n);
    expect({ ...facts()?.times }).toEqual(times);
  });

  test("are those of the last attempt after a refused one", () => {
    const { call, facts, cgroups } = openTimed();
    cgroups.delete(path);
    call();
    expect(facts()).toMatchObject({ state: "failed", failure: { kind: "cgroup-missing" } });
    const before = facts()?.times;
    expect(before).toMatchObject({ filterMs: undefined, writtenMs: undefined });
    cgroups.set(path, 7n);
    call();
    expect(facts()?.times?.lookupMs).toBeGreaterThan(before?.answeredMs ?? Number.POSITIVE_INFINITY);
    expect(facts()?.times?.writtenMs).toBeNumber();
  });

  test("do not exist for a container that was not held", () => {
    const { call, facts } = openTimed();
    call({ trusted: synchronized });
    expect(facts()).toMatchObject({ state: "released", times: undefined });
  });

  test("exist where a list had the container before the hook called", () => {
    const { call, facts } = openTimed();
    call({ trusted: synchronized });
    call();
    expect(facts()).toMatchObject({ source: "synchronize", times: { report: { source: "hook" } } });
    expect(facts()?.times?.answeredMs).toBeNumber();
  });
});

describe("who reported the pod", () => {
  test("is the report that had each part first", () => {
    const { call, facts } = openTimed();
    call({ podName: "" }, 1n);
    call({ podName: "web-0", containerName: "app" }, 2n);
    const hook = (atNanos: bigint) => ({ source: "hook" as const, atNanos });
    expect(facts()?.pod?.origins).toEqual({ uid: hook(1n), namespace: hook(1n), name: hook(2n) });
  });

  test("is the report with the labels that count", () => {
    const { call, facts } = openTimed();
    const nri = (app: string) => ({ podLabels: JSON.stringify({ app }), source: "nri" });
    call({}, 1n);
    call({ trusted: nri("old") }, 2n);
    call({ trusted: nri("old") }, 3n);
    expect(facts()?.pod?.origins.labels).toEqual({ source: "nri", atNanos: 2n });
    call({ trusted: nri("new") }, 4n);
    expect(facts()?.pod?.origins.labels).toEqual({ source: "nri", atNanos: 4n });
  });

  test("is the pod source once it has the pod, but for the UID", () => {
    const { call, facts, pods } = openTimed();
    call({}, 1n);
    pods.put(web({ app: "web" }));
    expect(facts()?.pod).toMatchObject({ identitySource: "pod-source" });
    expect(facts()?.pod?.origins).toEqual({ uid: { source: "hook", atNanos: 1n } });
  });
});

describe("a container that is over", () => {
  test("keeps its facts when its cgroup is gone", () => {
    const { call, facts, cgroups, lifecycle } = openTimed();
    call();
    cgroups.delete(path);
    lifecycle.checkCgroup("c1");
    expect(lifecycle.find("c1")).toBeUndefined();
    expect(facts()).toMatchObject({ state: "gone", endedMs: 1_000_000, cgroup: { id: 7n }, pod: { uid } });
    expect(facts()?.times?.answeredMs).toBeNumber();
    expect([...lifecycle.listFacts()].map(({ report }) => report.containerId)).toEqual(["c1"]);
    cgroups.set(path, 8n);
    call();
    expect(facts()).toMatchObject({ state: "released", endedMs: undefined });
    expect([...lifecycle.listFacts()]).toHaveLength(1);
  });

  test("keeps its failure after --failure-retention", () => {
    const { call, facts, cgroups, clock, lifecycle } = openTimed();
    cgroups.delete(path);
    call();
    clock.increment(retentionMs);
    expect(lifecycle.find("c1")).toBeUndefined();
    expect(facts()).toMatchObject({ state: "gone", failure: { kind: "cgroup-missing" } });
  });

  test("has the NRI plugin's reason for its failure", () => {
    const { call, facts, cgroups, lifecycle } = openTimed();
    cgroups.delete(path);
    call();
    lifecycle.reportRefused("c1", "too large");
    expect(facts()?.failure).toEqual({ kind: "plugin", message: "too large" });
  });
});

describe("a refused call", () => {
  test.each([
    { why: "the cgroup of another container", change: { containerId: "c2" }, kind: "cgroup-conflict" },
    {
      why: "another namespace than that of its pod",
      change: { containerId: "c2", cgroupsPath: "/kubepods/x/c2", podNamespace: "bank" },
      kind: "namespace-conflict",
    },
  ])("for $why is explained", ({ change, kind }) => {
    const { call, facts, cgroups } = openTimed();
    cgroups.set("/kubepods/x/c2", 8n);
    call();
    call(change);
    expect(facts("c2")).toMatchObject({ state: "", failure: { kind }, report: { containerName: "app" } });
    expect(facts("c2")?.times?.answeredMs).toBeNumber();
  });

  test("for a container on record changes nothing of what is known of it", () => {
    const { call, facts } = openTimed();
    call();
    call({ podUid: otherUid });
    expect(facts()).toMatchObject({ state: "released", failure: undefined, endedMs: undefined });
  });

  test("that is not valid names its container, without texts that are too long", () => {
    const long = "x".repeat(100_000);
    const request = { ...fields, podUid: long, containerImage: long, podName: "web-0" };
    expect(toRefusedReport(request, 1n, 2)).toMatchObject({
      ...{ containerId: "c1", podName: "web-0", podUid: "", image: "", arrivedMs: 2 },
    });
    expect(toRefusedReport({ ...request, containerId: "../c1" }, 1n, 2)).toBeUndefined();
    expect(toRefusedReport({ ...request, containerId: "" }, 1n, 2)).toBeUndefined();
  });
});
