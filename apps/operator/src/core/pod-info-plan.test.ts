// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { toComparable } from "./pod-info.ts";
import { createPodInfoPlan, type PodInfoPlan, type StoredInfo } from "./pod-info-plan.ts";
import { readSourcePod, type SourcePod } from "./source-pod.ts";

function podOf(name: string, more: object = {}, uid = `uid-${name}`): SourcePod {
  const pod = readSourcePod({
    metadata: { uid, name, namespace: "shop", ...more },
    spec: { nodeName: "n" },
    status: { podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }] },
  });
  if (pod === undefined) throw new Error("not a pod");
  return pod;
}

function storedOf({ info, name }: SourcePod, resourceVersion = "1"): StoredInfo {
  if (info === undefined) throw new Error("a pod without a PodInfo");
  return { uid: `info-${name}`, key: `shop/${name}`, resourceVersion, comparable: toComparable(info) };
}

function start(pods: readonly SourcePod[], infos: readonly StoredInfo[]): PodInfoPlan {
  const plan = createPodInfoPlan();
  plan.changePods({ kind: "all", objects: pods });
  plan.changeInfos({ kind: "all", objects: infos });
  return plan;
}

describe("the plan", () => {
  test("is empty until pods and PodInfo objects are listed", () => {
    const plan = createPodInfoPlan();
    plan.changePods({ kind: "all", objects: [podOf("a")] });
    expect(plan.next()).toBeUndefined();
    plan.changeInfos({ kind: "all", objects: [] });
    expect(plan.next()).toMatchObject({ key: "shop/a", resourceVersion: undefined });
    expect(plan.next()).toBeUndefined();
  });

  test("has no write for a PodInfo that is as it should be, whatever the order of its labels", () => {
    const [one, other] = [{ labels: { a: "1", b: "2" } }, { labels: { b: "2", a: "1" } }];
    expect(start([podOf("a", one)], [storedOf(podOf("a", other))]).next()).toBeUndefined();
  });

  test("replaces one that differs, by its resource version", () => {
    const plan = start([podOf("a", { labels: { app: "new" } })], [storedOf(podOf("a"), "7")]);
    expect(plan.next()).toMatchObject({ key: "shop/a", resourceVersion: "7" });
  });

  test("has one write for a pod at a time, and another one for what has changed meanwhile", () => {
    const plan = start([podOf("a")], []);
    plan.next();
    const newer = podOf("a", { labels: { app: "new" } });
    plan.changePods({ kind: "put", object: newer });
    expect(plan.next()).toBeUndefined();
    plan.wrote("shop/a", storedOf(podOf("a"), "2"));
    expect(plan.next()).toMatchObject({ resourceVersion: "2", info: newer.info });
    plan.wrote("shop/a", storedOf(newer, "3"));
    expect(plan.next()).toBeUndefined();
  });

  test("takes what the watch has brought during a write, and not the answer, which may be older", () => {
    const plan = start([podOf("a")], []);
    plan.next();
    const edited = storedOf(podOf("a", { labels: { app: "edited" } }), "9");
    plan.changeInfos({ kind: "put", object: edited });
    plan.wrote("shop/a", storedOf(podOf("a"), "8"));
    expect(plan.next()).toMatchObject({ key: "shop/a", resourceVersion: "9" });
    plan.changeInfos({ kind: "deleted", uid: edited.uid });
    plan.wrote("shop/a", storedOf(podOf("a"), "10"));
    expect(plan.next()).toMatchObject({ key: "shop/a", resourceVersion: undefined });
  });

  test("repeats a failed write only when it is retried", () => {
    const plan = start([podOf("a")], []);
    plan.next();
    plan.failed("shop/a");
    expect(plan.next()).toBeUndefined();
    plan.retry("shop/a");
    expect(plan.next()).toMatchObject({ key: "shop/a" });
  });

  test("has no write for a pod that is gone, is being deleted, or has no node", () => {
    const plan = start([podOf("a"), podOf("b", { deletionTimestamp: "2026-01-01T00:00:00Z" })], []);
    plan.changePods({ kind: "deleted", uid: "uid-a" });
    expect(plan.next()).toBeUndefined();
    expect(plan.count()).toBe(0);
  });

  test("keeps the pod that has the name of a deleted one", () => {
    const plan = start([podOf("a")], []);
    plan.changePods({ kind: "put", object: podOf("a", {}, "uid-2") });
    plan.changePods({ kind: "deleted", uid: "uid-a" });
    expect(plan.next()).toMatchObject({ info: { metadata: { ownerReferences: [{ uid: "uid-2" }] } } });
  });

  test("creates a PodInfo again that another program has deleted", () => {
    const plan = start([podOf("a")], [storedOf(podOf("a"))]);
    plan.changeInfos({ kind: "deleted", uid: "info-a" });
    expect(plan.next()).toMatchObject({ key: "shop/a", resourceVersion: undefined });
  });
});
