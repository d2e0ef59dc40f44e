// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import type { DeniedStart, HookInvocation } from "@rthooks/explain";
import { describeFailure } from "@rthooks/explain";
import type { ContainerReport } from "@rthooks/machines/pod";
import { parseTracingPolicy } from "@rthooks/policy";
import type { ContainerRecord } from "../../containers/core/container-record.ts";
import { parseHookRequest } from "../../containers/core/hook-request.ts";
import {
  createMemoryPolicyFilter,
  emptyFields,
  open,
  uid,
  web,
} from "../../containers/core/lifecycle.fixture.ts";
import { createExplainer, type ExplanationSources } from "./explainer.ts";

const path = "/kubepods/x/c1";
const second = 1_000_000_000n;

/** The explanations of a lifecycle whose monotonic clock goes on by a millisecond with each look at it. */
function openExplained(change: Partial<ExplanationSources> = {}) {
  const policyFilter = createMemoryPolicyFilter();
  const opened = open({ ticks: true, policyFilter });
  opened.cgroups.set(path, 7n);
  const { lifecycle } = opened;
  const explainer = createExplainer({
    ...{ findFacts: lifecycle.findFacts, listFacts: lifecycle.listFacts, findFiltered: policyFilter.find },
    ...{ missing: () => [], denied: () => [], waiting: () => [], hasAllLabels: () => true },
    ...{ hookInvocation: () => undefined, hookInvocations: () => [] },
    ...{ policies: () => [], policyOf: () => undefined, enforcementOf: () => undefined },
    now: () => 1_000,
    findPodTimes: () => ({ firstMs: 50, changedMs: 60 }),
    ...change,
  });
  const report = (fields: Partial<typeof emptyFields> = {}): ContainerReport => {
    const names = { cgroupsPath: path, containerId: "c1", containerName: "app", podName: "web-0" };
    const request = { ...emptyFields, ...names, podUid: uid, podNamespace: "shop", ...fields };
    const parsed = parseHookRequest(request, second, undefined, 0);
    if (!parsed.ok) throw new Error(parsed.error.message);
    return parsed.value.report;
  };
  const call = (more: Partial<ContainerReport> = {}, fields: Partial<typeof emptyFields> = {}): void =>
    lifecycle.report({ ...report(fields), ...more }, () => {});
  return { ...opened, explainer, report, call };
}

const invocation: HookInvocation = {
  ...{ containerId: "c1", namespace: "shop", pod: "web-0", podUid: uid, container: "app", image: "web:1" },
  ...{ cgroup: path, by: "hook", startedMs: 990, durationMs: 30, outcome: "released", failure: undefined },
  phases: [
    { where: "hook", what: "read the spec", startedMs: 990.5, durationMs: 1 },
    { where: "hook", what: "wait for the agent's answer", startedMs: 1_000.5, durationMs: 19 },
  ],
};

describe("the hold", () => {
  test("has the wait for the pod, and ends with the answer", () => {
    const { explainer, call } = openExplained();
    call({ podWait: { startedMs: 0.5, endedMs: 1 } });
    const { hold } = explainer.explain("c1") ?? {};
    expect(hold).toMatchObject({ by: "hook", startedMs: 1_000 });
    expect(hold?.phases.slice(0, 2)).toEqual([
      { where: "agent", what: "check the request", startedMs: 1_000, durationMs: 0.5 },
      { where: "pod source", what: "wait for the pod", startedMs: 1_000.5, durationMs: 0.5 },
    ]);
    expect(hold?.phases.slice(2).map(({ what, durationMs }) => [what, durationMs])).toEqual([
      ["find the cgroup", 1],
      ["write the filter maps", 1],
      ["answer", 1],
    ]);
  });

  test("has the hook's own phases, in the order of their start, and its length", () => {
    const { explainer, call } = openExplained({ hookInvocation: () => invocation });
    call();
    const { hold } = explainer.explain("c1") ?? {};
    expect(hold).toMatchObject({ by: "hook", startedMs: 990, durationMs: 30 });
    const starts = hold?.phases.map(({ startedMs }) => startedMs) ?? [];
    expect(starts).toEqual(starts.toSorted((one, other) => one - other));
    expect(hold?.phases.slice(0, 3).map(({ where }) => where)).toEqual(["hook", "agent", "hook"]);
  });

  test("has nothing of a line of the hook about an earlier start", () => {
    const earlier = { ...invocation, startedMs: 900, outcome: "denied" } as const;
    const { explainer, call } = openExplained({ hookInvocation: () => earlier });
    call();
    expect(explainer.explain("c1")).toMatchObject({ outcome: "running", hold: { startedMs: 1_000 } });
  });

  test("is the plugin's where the plugin held the container", () => {
    const { explainer, call } = openExplained();
    call({}, { trusted: { podLabels: "{}", source: "nri" } });
    expect(explainer.explain("c1")?.hold?.by).toBe("nri");
  });

  test("does not exist for a container that was not held", () => {
    const { explainer, call } = openExplained();
    call({}, { trusted: { podLabels: undefined, source: "synchronize" } });
    expect(explainer.explain("c1")).toMatchObject({ outcome: "running", hold: undefined });
  });

  test("lasts while the call waits for its pod", () => {
    const { explainer, report } = openExplained({ waiting: () => [report()] });
    expect(explainer.explain("c1")).toMatchObject({
      ...{ outcome: "held", state: "", endedMs: undefined },
      hold: { startedMs: 1_000, durationMs: 1_000, phases: [{ what: "check the request" }] },
    });
  });
});

describe("the identity", () => {
  const identityOf = (opened: ReturnType<typeof openExplained>) =>
    Object.fromEntries(
      (opened.explainer.explain("c1")?.identity ?? []).map((one) => [
        one.part,
        [one.value, one.source, one.reportedMs],
      ]),
    );

  test("names the report, and the kernel for the cgroup id", () => {
    const opened = openExplained();
    opened.call();
    const { "cgroup id": cgroupId, ...others } = identityOf(opened);
    expect(others).toEqual({
      namespace: ["shop", "hook", 1_000],
      pod: ["web-0", "hook", 1_000],
      "pod UID": [uid, "hook", 1_000],
      labels: ["", "", undefined],
      container: ["app", "hook", 1_000],
      image: ["", "", undefined],
      cgroup: [path, "hook", 1_000],
    });
    expect(cgroupId?.slice(0, 2)).toEqual(["7", "kernel"]);
    expect(cgroupId?.[2]).toBeGreaterThan(1_000);
  });

  test("names the pod source, with the time of its labels", () => {
    const opened = openExplained();
    opened.pods.put(web({ app: "web", tier: "front" }));
    opened.call();
    expect(identityOf(opened)).toMatchObject({
      namespace: ["shop", "pod-source", 50],
      "pod UID": [uid, "hook", 1_000],
      labels: ["app=web, tier=front", "pod-source", 60],
    });
  });
});

describe("the outcome", () => {
  test("of a refused container is that it failed, in plain words", () => {
    const { explainer, call, cgroups } = openExplained();
    cgroups.delete(path);
    call();
    expect(explainer.explain("c1")).toMatchObject({
      ...{ outcome: "failed", endedMs: expect.any(Number) },
      failure: describeFailure("cgroup-missing", `no cgroup ${path}`),
    });
  });

  test("is what the hook made of the refusal", () => {
    const denied = { ...invocation, outcome: "denied", failure: { kind: "refused", message: "no" } } as const;
    const { explainer, call, cgroups } = openExplained({ hookInvocation: () => denied });
    cgroups.delete(path);
    call();
    // The agent's reason says more than the hook's.
    expect(explainer.explain("c1")).toMatchObject({ outcome: "denied", failure: { kind: "cgroup-missing" } });
  });

  test("of a container that the NRI plugin denied is the plugin's", () => {
    const { explainer, call, cgroups, lifecycle } = openExplained();
    cgroups.delete(path);
    call();
    lifecycle.reportRefused("c1", "too large");
    expect(explainer.explain("c1")).toMatchObject({
      outcome: "denied",
      failure: { kind: "plugin", message: "too large" },
    });
  });

  test("of an ended container is that it ended", () => {
    const { explainer, call, cgroups, lifecycle } = openExplained();
    call();
    cgroups.delete(path);
    lifecycle.checkCgroup("c1");
    expect(explainer.explain("c1")).toMatchObject({ outcome: "ended", endedMs: 1_000_000, state: "gone" });
  });

  test("of a container that only the hook's log has is the hook's", () => {
    const failure = { kind: "unreachable", message: "refused" };
    const denied = { ...invocation, containerId: "c9", outcome: "denied", failure } as const;
    const { explainer } = openExplained({
      hookInvocation: (id) => (id === "c9" ? denied : undefined),
      hookInvocations: () => [denied],
    });
    expect(explainer.explain("c9")).toMatchObject({
      ...{ outcome: "denied", state: "", endedMs: 1_020, hold: { durationMs: 30 } },
      failure: describeFailure("unreachable", "refused"),
    });
    const found = explainer.find({ kind: "pod", namespace: "shop", pod: "web-0", container: "app" });
    expect(found.ok && found.value.map(({ containerId }) => containerId)).toEqual(["c9"]);
  });

  test("of a running container without a cgroup is that it failed", () => {
    const missing: ContainerRecord = {
      ...{ id: "c8", name: "app", image: "web:1", podUid: uid, podName: "web-0", podNamespace: "shop" },
      ...{ podLabels: new Map(), cgroupPath: "", cgroupId: 0n, state: "missing", source: "scan" },
      ...{ reportedAtNanos: second, error: "no cgroup of this id", errorKind: "cgroup-missing" },
    };
    const { explainer } = openExplained({ missing: () => [missing] });
    expect(explainer.explain("c8")).toMatchObject({
      ...{ outcome: "failed", state: "missing", hold: undefined, failure: { kind: "cgroup-missing" } },
    });
  });

  test("of a start of which only the denial is known is the denial", () => {
    const start: DeniedStart = {
      ...{ containerId: "c7", namespace: "", pod: "", container: "", atMs: 2_000, by: "nri" },
      failure: describeFailure("plugin", "too large"),
    };
    const { explainer } = openExplained({ denied: () => [start] });
    expect(explainer.explain("c7")).toMatchObject({
      outcome: "denied",
      endedMs: 2_000,
      failure: start.failure,
    });
    expect(explainer.explain("c6")).toBeUndefined();
  });
});

test.each([
  { state: "enabled", error: "", found: undefined },
  { state: "disabled", error: "", found: "it is disabled" },
  { state: "loading", error: "", found: "it is being loaded" },
  { state: "skipped", error: "", found: "its nodeSelector does not match the node" },
  { state: "load_error", error: "no such call", found: "no such call" },
] as const)("a policy in the state $state", ({ state, error, found }) => {
  const parsed = parseTracingPolicy({
    apiVersion: "cilium.io/v1alpha1",
    kind: "TracingPolicy",
    metadata: { name: "a" },
    spec: {},
  });
  if (!parsed.ok) throw new Error("not a policy");
  const status = {
    name: "a",
    namespace: "",
    domain: "static",
    id: 1,
    filterId: 0,
    heldBy: "",
    mode: "enforce",
  } as const;
  const { explainer, call } = openExplained({
    policies: () => [{ ...status, state, error }],
    policyOf: () => parsed.value,
  });
  call();
  const [match] = explainer.explain("c1")?.policies ?? [];
  expect([match?.selects, match?.failing?.found]).toEqual([found === undefined, found]);
});
