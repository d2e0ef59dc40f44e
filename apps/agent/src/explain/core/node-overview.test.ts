// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import type { DeniedStart } from "@rthooks/explain";
import type { ContainerReport } from "@rthooks/machines/pod";
import { type OverviewFacts, toNodeOverview } from "./node-overview.ts";
import { createSourceStates } from "./source-states.ts";

const report = (containerId: string, seenAtNanos = 0n): ContainerReport => ({
  ...{
    containerId,
    seenAtNanos,
    arrivedMs: undefined,
    containerName: "app",
    image: "web:1",
    podUid: undefined,
  },
  ...{ podNamespace: "shop", podName: "web-0", podLabels: undefined, source: "hook" },
  ...{ cgroupsPath: "/c", cgroup: undefined, answerByMs: Number.POSITIVE_INFINITY },
});
const denied: DeniedStart = {
  ...{ containerId: "d", namespace: "shop", pod: "web-0", container: "app", atMs: 1, by: "hook" },
  failure: { kind: "unreachable", what: "No agent.", next: "Start it.", message: "" },
};
const facts: OverviewFacts = {
  ...{ atMs: 5, node: "node-1", version: "1.2.3", problems: ["no API server"] },
  ...{ waiting: [], stateOf: () => undefined, denied: { starts: [], count: 0 }, containers: [] },
  ...{ policies: [], enforced: [], sources: [], criRuntime: undefined },
};

describe("the overview", () => {
  test("has the waiting starts with the states of their machines, and a bounded list of them", () => {
    const waiting = Array.from({ length: 60 }, (_, at) => report(`c${at}`, 2_500_000n));
    const stateOf = (id: string) => (id === "c1" ? "placed" : undefined);
    const { held, heldCount } = toNodeOverview({ ...facts, waiting, stateOf });
    expect(held.slice(0, 2)).toEqual([
      { containerId: "c0", namespace: "shop", pod: "web-0", container: "app", sinceMs: 2.5, state: "" },
      { containerId: "c1", namespace: "shop", pod: "web-0", container: "app", sinceMs: 2.5, state: "placed" },
    ]);
    expect([held.length, heldCount]).toEqual([50, 60]);
  });

  test("has a bounded list of denied starts, and the count of all", () => {
    const starts = Array.from({ length: 60 }, () => denied);
    const overview = toNodeOverview({ ...facts, denied: { starts, count: 1234 } });
    expect([overview.denied.length, overview.deniedCount]).toEqual([50, 1234]);
  });

  test("has a bounded list of the policies with rules in the kernel, those that matched most first", () => {
    const enforced = Array.from({ length: 60 }, (_, at) => ({
      ...{ name: `p${at}`, namespace: "", domain: "static", mode: "enforce", mechanism: "counted" },
      counts: at === 7 ? undefined : { matches: at % 7, denials: 0, signals: 0, withheld: 0 },
    }));
    const overview = toNodeOverview({ ...facts, enforced });
    expect(overview.enforced.slice(0, 2).map(({ name }) => name)).toEqual(["p6", "p13"]);
    expect([overview.enforced.length, overview.enforcedCount]).toEqual([50, 60]);
  });

  test("counts containers by state and source, and policies by state", () => {
    const containers = [
      { state: "released", source: "hook", reportedAtNanos: 1n },
      { state: "released", source: "cri", reportedAtNanos: 1n },
      { state: "released", source: "hook", reportedAtNanos: 1n },
    ];
    const policies = [{ state: "enabled" }, { state: "loading" }, { state: "enabled" }];
    const overview = toNodeOverview({ ...facts, containers, policies });
    expect(overview.containers).toEqual([
      { state: "released", source: "hook", count: 2 },
      { state: "released", source: "cri", count: 1 },
    ]);
    expect(overview.policies).toEqual([
      { state: "enabled", count: 2 },
      { state: "loading", count: 1 },
    ]);
  });

  test("names the interfaces that reported containers, and CRI also without any", () => {
    const containers = [
      { state: "released", source: "nri", reportedAtNanos: 7_000_000n },
      { state: "released", source: "synchronize", reportedAtNanos: 3_000_000n },
    ];
    const { interfaces } = toNodeOverview({ ...facts, containers, criRuntime: "containerd 2.1.9" });
    expect(interfaces).toEqual([
      { name: "CRI", runtime: "containerd 2.1.9", containers: 0, lastReportMs: undefined },
      { name: "NRI plugin", runtime: "", containers: 2, lastReportMs: 7 },
    ]);
  });
});

test("a source is stale from the first look that finds its problem until one finds none", () => {
  let problem = "";
  let nowMs = 1;
  const states = createSourceStates(
    [
      { name: "CRI", isOn: () => true, problem: () => problem },
      { name: "NRI plugin", isOn: () => false, problem: () => "" },
    ],
    () => nowMs,
  );
  const well = { name: "CRI", state: "current", problem: "", sinceMs: undefined } as const; // const: a literal
  const off = { name: "NRI plugin", state: "off", problem: "", sinceMs: undefined } as const; // const: a literal
  expect(states.list()).toEqual([well, off]);
  problem = "no answer";
  nowMs = 2;
  states.look();
  nowMs = 3;
  problem = "still no answer";
  expect(states.list()).toEqual([{ ...well, state: "stale", problem, sinceMs: 2 }, off]);
  problem = "";
  expect(states.list()).toEqual([well, off]);
  problem = "gone again";
  expect(states.list()[0]?.sinceMs).toBe(3);
});
