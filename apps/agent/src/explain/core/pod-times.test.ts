// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import type { Pod } from "@rthooks/kube";
import { createPodStore } from "../../pods/core/pod-store.ts";
import { followPodTimes } from "./pod-times.ts";

const pod = (uid: string, app: string): Pod => ({
  ...{ uid, staticPodHash: undefined, namespace: "shop", name: uid, containers: [] },
  workload: { name: uid, kind: "Pod" },
  labels: new Map([["app", app]]),
});
const query = (uid: string) => ({ uid, namespace: "shop", name: uid });

test("a pod has the time of its first report and of its last change", () => {
  const store = createPodStore();
  let nowMs = 100;
  store.put(pod("early", "web"));
  const times = followPodTimes(store, () => nowMs);
  nowMs = 200;
  store.put(pod("late", "web"));
  nowMs = 300;
  store.put(pod("late", "web"));
  expect(times.find(query("late"))).toEqual({ firstMs: 200, changedMs: 200 });
  store.put(pod("late", "cart"));
  const container = {
    id: "c1",
    runtime: "containerd",
    name: "app",
    image: "",
    imageId: "",
    startedMs: undefined,
  };
  store.put({ ...pod("early", "web"), containers: [container] });
  expect(times.find(query("late"))).toEqual({ firstMs: 200, changedMs: 300 });
  expect(times.find(query("early"))).toEqual({ firstMs: 100, changedMs: 100 });
  store.remove("late");
  expect(times.find(query("late"))).toBeUndefined();
  times.close();
  store.put(pod("late", "web"));
  expect(times.find(query("late"))).toBeUndefined();
});
