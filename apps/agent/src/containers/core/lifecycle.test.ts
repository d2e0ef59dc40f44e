// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { describeInspection } from "@rthooks/machines/inspection";
import { err, type Result } from "@rthooks/result";
import type { Refusal } from "../../base/core/refusal.ts";
import type { PolicyFilter } from "../../filter/core/policy-filter.ts";
import { parseHookRequest } from "./hook-request.ts";
import {
  createMemoryPolicyFilter,
  emptyFields,
  open,
  otherUid,
  retentionMs,
  uid,
  web,
} from "./lifecycle.fixture.ts";

describe("a hook call", () => {
  test("is answered when the policy filter holds the cgroup id, and not before", () => {
    const order: string[] = [];
    const memory = createMemoryPolicyFilter();
    const { cgroups, lifecycle } = open({
      policyFilter: {
        ...memory,
        add: (container) => {
          order.push(`filter ${container.cgroupId}`);
          return memory.add(container);
        },
      },
    });
    cgroups.set("/c1", 7n);
    const call = parseHookRequest({ ...emptyFields, cgroupsPath: "/c1" }, 1n);
    if (!call.ok) throw new Error(call.error.message);
    lifecycle.report(call.value.report, () => order.push("answer"));
    expect(order).toEqual(["filter 7", "answer"]);
  });

  test("that is repeated changes nothing", () => {
    const { report, cgroups, filtered, lifecycle } = open();
    cgroups.set("/kubepods/x/c1", 7n);
    expect([report({}), report({}), report({})]).toEqual(["released", "released", "released"]);
    expect(filtered()).toEqual(["c1 7 shop"]);
    expect(lifecycle.list()).toHaveLength(1);
  });

  test("with a cgroup that was created again under the same path replaces the old id", () => {
    const { report, cgroups, filtered, lines } = open();
    cgroups.set("/kubepods/x/c1", 7n);
    report({});
    cgroups.set("/kubepods/x/c1", 8n);
    expect(report({})).toBe("released");
    expect(filtered()).toEqual(["c1 8 shop"]);
    expect(lines).toContain("cgroup of the container changed");
  });

  test("that is wrong does not change a container that runs", () => {
    const { report, cgroups, filtered } = open();
    cgroups.set("/kubepods/x/c1", 7n);
    report({});
    expect(report({ cgroupsPath: "/nowhere" })).toMatchObject({ kind: "cgroup-missing" });
    expect(report({ podNamespace: "kube-system" })).toMatchObject({ kind: "namespace-conflict" });
    expect(report({ podUid: otherUid })).toMatchObject({ kind: "pod-conflict" });
    expect(filtered()).toEqual(["c1 7 shop"]);
  });

  test("may be tried again after a failure", () => {
    const { report, cgroups, lifecycle, filtered } = open();
    expect(report({})).toMatchObject({ kind: "cgroup-missing" });
    expect(lifecycle.list()[0]).toMatchObject({ state: "failed", error: "no cgroup /kubepods/x/c1" });
    cgroups.set("/kubepods/x/c1", 7n);
    expect(report({})).toBe("released");
    expect(filtered()).toEqual(["c1 7 shop"]);
    expect(lifecycle.list()[0]).toMatchObject({ state: "released", error: "" });
  });

  test("is refused when the policy filter cannot take the container", () => {
    const full = (): Result<void, Refusal> => err({ kind: "filter-full", message: "32768 are in it" });
    const { report, cgroups, filtered } = open({
      policyFilter: { ...createMemoryPolicyFilter(), add: full },
    });
    cgroups.set("/kubepods/x/c1", 7n);
    expect(report({})).toMatchObject({ kind: "filter-full" });
    expect(filtered()).toEqual([]);
  });

  test("is refused, and the agent continues, when an effect has a bug", () => {
    const broken = (): never => {
      throw new Error("a bug");
    };
    const { report, cgroups } = open({ policyFilter: { ...createMemoryPolicyFilter(), add: broken } });
    cgroups.set("/kubepods/x/c1", 7n);
    expect(report({})).toEqual({ kind: "internal", message: "a bug" });
    expect(report({})).toEqual({ kind: "internal", message: "a bug" });
  });
});

describe("a container without a pod", () => {
  test("is tracked under its own id", () => {
    const { report, cgroups, lifecycle } = open();
    cgroups.set("/c1", 7n);
    expect(report({ ...emptyFields, cgroupsPath: "/c1" })).toBe("released");
    expect(lifecycle.list()[0]).toMatchObject({ id: "c1", podUid: "", podNamespace: "", state: "released" });
  });

  test("gets its pod from a later call that names one", () => {
    const { report, cgroups, lifecycle, filtered } = open();
    cgroups.set("/kubepods/x/c1", 7n);
    report({ ...emptyFields, cgroupsPath: "/kubepods/x/c1" });
    expect(report({})).toBe("released");
    expect(lifecycle.list()).toMatchObject([{ id: "c1", podUid: uid, podNamespace: "shop" }]);
    expect(filtered()).toEqual(["c1 7 shop"]);
    // It keeps the pod when the next call does not name it.
    expect(report({ ...emptyFields, cgroupsPath: "/kubepods/x/c1" })).toBe("released");
    expect(lifecycle.list()).toMatchObject([{ podUid: uid }]);
  });
});

describe("the pod source", () => {
  test("gives labels at once where it knows the pod, and changes them later", () => {
    const { report, cgroups, pods, filtered, lifecycle } = open();
    cgroups.set("/kubepods/x/c1", 7n);
    pods.replaceAll([web({ app: "web" })]);
    report({});
    expect(filtered()).toEqual(["c1 7 shop app=web"]);
    pods.replaceAll([web({ app: "cart" })]);
    expect(filtered()).toEqual(["c1 7 shop app=cart"]);
    expect(lifecycle.list()[0]?.podLabels).toEqual(new Map([["app", "cart"]]));
  });

  test("fills in a pod that it learns of after the hook", () => {
    const { report, cgroups, pods, filtered } = open();
    cgroups.set("/kubepods/x/c1", 7n);
    report({});
    expect(filtered()).toEqual(["c1 7 shop"]);
    pods.replaceAll([web({ app: "web" })]);
    expect(filtered()).toEqual(["c1 7 shop app=web"]);
  });

  test("determines the namespace of a pod", () => {
    const { report, cgroups, pods } = open();
    cgroups.set("/kubepods/x/c1", 7n);
    pods.replaceAll([web({}, "bank")]);
    expect(report({})).toMatchObject({ kind: "namespace-conflict" });
    expect(report({ podNamespace: "bank" })).toBe("released");
  });

  test("never removes a container that the hook reported first", () => {
    const { report, cgroups, pods, filtered } = open();
    cgroups.set("/kubepods/x/c1", 7n);
    report({});
    pods.replaceAll([{ ...web({}), uid: otherUid, name: "other" }]);
    pods.replaceAll([]);
    expect(filtered()).toEqual(["c1 7 shop"]);
  });
});

test("a pod whose actor a bug ends affects no other pod, and can be reported again", () => {
  const memory = createMemoryPolicyFilter();
  let isBroken = true;
  const policyFilter: PolicyFilter = {
    ...memory,
    updatePod(update) {
      if (isBroken) throw new Error("a bug");
      memory.updatePod(update);
    },
  };
  const { report, cgroups, pods, filtered, lines, lifecycle } = open({ policyFilter });
  cgroups.set("/kubepods/x/c1", 7n).set("/kubepods/x/c2", 8n);
  report({});
  report({ containerId: "c2", podUid: otherUid, podName: "web-1", cgroupsPath: "/kubepods/x/c2" });
  pods.put(web({ app: "web" }));
  expect(lines).toContain("pod lifecycle ended by an error");
  // The container still runs: it stays in its policies until its cgroup is gone.
  expect(filtered()).toEqual(["c1 7 shop", "c2 8 shop"]);
  isBroken = false;
  expect(report({})).toBe("released");
  expect(filtered()).toEqual(["c1 7 shop app=web", "c2 8 shop"]);
  isBroken = true;
  pods.put(web({ app: "cart" }));
  cgroups.delete("/kubepods/x/c1");
  for (const id of lifecycle.containerIds()) lifecycle.checkCgroup(id);
  expect([filtered(), lifecycle.containerIds()]).toEqual([["c2 8 shop"], ["c2"]]);
  lifecycle.close();
});

describe("a container is gone", () => {
  test("when its cgroup is, and its pod with the last one", () => {
    const { report, cgroups, lifecycle, filtered, lines } = open();
    cgroups.set("/kubepods/x/c1", 7n).set("/kubepods/x/c2", 8n);
    report({});
    report({ containerId: "c2", cgroupsPath: "/kubepods/x/c2" });
    lifecycle.checkCgroup("c1");
    expect(filtered()).toEqual(["c1 7 shop", "c2 8 shop"]);
    cgroups.delete("/kubepods/x/c1");
    lifecycle.checkCgroup("c1");
    expect(filtered()).toEqual(["c2 8 shop"]);
    expect(lines).not.toContain("pod gone");
    cgroups.set("/kubepods/x/c2", 9n);
    lifecycle.checkCgroup("c2");
    expect(filtered()).toEqual([]);
    expect(lines).toContain("pod gone");
    expect(lifecycle.list()).toEqual([]);
  });

  test("when it failed and was not reported again", () => {
    const { report, clock, lifecycle } = open();
    report({});
    clock.increment(retentionMs);
    expect(lifecycle.list()).toEqual([]);
    expect(lifecycle.containerIds()).toEqual([]);
  });

  test("the number of failed ones is limited", () => {
    const { report, lifecycle } = open();
    for (let i = 0; i < 1100; i++)
      report({ containerId: `c${i}`, cgroupsPath: "/nowhere", podUid: `pod-${i}` });
    expect(lifecycle.list()).toHaveLength(1000);
    expect(lifecycle.list()[0]?.id).toBe("c100");
  });

  test("a container id may be used in another pod once the first container has ended", () => {
    const { report, cgroups, lifecycle } = open();
    cgroups.set("/kubepods/x/c1", 7n);
    report({});
    cgroups.set("/kubepods/x/c1", 8n);
    expect(report({ podUid: otherUid })).toBe("released");
    expect(lifecycle.list()).toMatchObject([{ podUid: otherUid, cgroupId: 8n }]);
  });
});

test("an inspector gets the pods and containers, each event and the state after it", () => {
  const walk: string[] = [];
  const { report, cgroups, lifecycle } = open({
    inspect(inspected) {
      const { actor, machine, type, what, state } = describeInspection(inspected);
      if (type === "@xstate.snapshot" && machine !== "node")
        walk.push(`${machine} ${actor} ${what} → ${state}`);
    },
  });
  cgroups.set("/kubepods/x/c1", 7n);
  report({});
  cgroups.delete("/kubepods/x/c1");
  lifecycle.checkCgroup("c1");
  expect(walk).toEqual([
    `pod ${uid} xstate.init → seen`,
    `pod ${uid} source.missing → reported`,
    "container container:c1 xstate.init → identified",
    "container container:c1 cgroup.found → placed",
    "container container:c1 filter.added → registered",
    "container container:c1 answer.sent → released",
    `pod ${uid} container.reported → reported`,
    `pod ${uid} container.gone → gone`,
    "container container:c1 cgroup.vanished → gone",
    "container container:c1 xstate.stop → gone",
  ]);
});
