// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import type { Pod } from "@rthooks/kube";
import { createPodStore } from "./pod-store.ts";

const hash = "0123456789abcdef0123456789abcdef";
const pod = (name: string, app = "web", staticPodHash?: string): Pod => ({
  uid: `uid-${name}`,
  staticPodHash,
  namespace: "shop",
  name,
  labels: new Map([["app", app]]),
  workload: { name, kind: "Pod" },
  containers: [],
});

test("a pod is found by uid, or by name where there is no uid", () => {
  const store = createPodStore();
  store.replaceAll([pod("a")]);
  expect(store.find({ uid: "uid-a", namespace: "", name: "" })?.name).toBe("a");
  expect(store.find({ uid: undefined, namespace: "shop", name: "a" })?.uid).toBe("uid-a");
  expect(store.find({ uid: undefined, namespace: "", name: "" })).toBeUndefined();
  // A pod that was created again under the same name is another pod.
  expect(store.find({ uid: "uid-old", namespace: "shop", name: "a" })).toBeUndefined();
});

test("a static pod is found by its hash under its own name only", () => {
  const store = createPodStore();
  store.replaceAll([pod("etcd", "db", hash)]);
  expect(store.find({ uid: hash, namespace: "shop", name: "etcd" })?.uid).toBe("uid-etcd");
  expect(store.find({ uid: hash, namespace: "shop", name: "other" })).toBeUndefined();
});

test("another pod that claims a static pod's hash does not replace it, in either order", () => {
  const mirror = pod("etcd", "db", hash);
  const claim = { ...pod("evil", "evil", hash), namespace: "tenant" };
  for (const pods of [
    [mirror, claim],
    [claim, mirror],
  ]) {
    const store = createPodStore();
    store.replaceAll(pods);
    store.put({ ...claim, labels: new Map() });
    expect(store.find({ uid: hash, namespace: "shop", name: "etcd" })).toEqual(mirror);
    store.remove(claim.uid);
    expect(store.find({ uid: hash, namespace: "shop", name: "etcd" })).toEqual(mirror);
  }
});

test("a pod that a list lacks is unknown, not deleted, until it is listed again or deleted", () => {
  const store = createPodStore();
  const changes: string[] = [];
  store.replaceAll([pod("a"), pod("b")]);
  store.subscribe(({ kind, pod: { name } }) => changes.push(`${kind} ${name}`));
  store.replaceAll([]);
  expect([store.find({ uid: "uid-a", namespace: "", name: "" }), store.wasDeleted("uid-a")]).toEqual([
    undefined,
    false,
  ]);
  store.put(pod("a"));
  store.remove("uid-b");
  expect([store.wasDeleted("uid-a"), store.wasDeleted("uid-b")]).toEqual([false, true]);
  expect(changes).toEqual(["unlisted a", "unlisted b", "changed a", "deleted b"]);
});

test("subscribers are notified of new, changed and unlisted pods only", () => {
  const store = createPodStore();
  const changes: string[] = [];
  const unsubscribe = store.subscribe(({ kind, pod: { name } }) => changes.push(`${kind} ${name}`));
  store.replaceAll([pod("a"), pod("b")]);
  store.replaceAll([pod("a"), pod("b", "cart"), pod("c")]);
  store.replaceAll([pod("c")]);
  unsubscribe();
  store.replaceAll([]);
  expect(changes).toEqual(["changed a", "changed b", "changed b", "changed c", "unlisted a", "unlisted b"]);
});

test("a fetched pod stays until the watch reports it, and older reports do not change it", () => {
  const store = createPodStore();
  const changes: string[] = [];
  store.subscribe(({ kind, pod: { uid } }) => changes.push(`${kind} ${uid}`));
  store.replaceAll([pod("a")]);
  const newer = { ...pod("a"), uid: "uid-a2" };
  store.putFetched(newer);
  expect(changes.splice(0)).toEqual(["changed uid-a", "deleted uid-a", "changed uid-a2"]);
  expect(store.isAheadOfWatch("uid-a2")).toBe(true);
  // The watch is behind: these reports are older.
  store.replaceAll([pod("a")]);
  store.put(pod("a", "cart"));
  expect(store.find({ uid: undefined, namespace: "shop", name: "a" })?.uid).toBe("uid-a2");
  store.remove("uid-a");
  expect(changes.splice(0)).toEqual(["changed uid-a", "changed uid-a", "deleted uid-a"]);
  store.put(newer);
  expect(store.isAheadOfWatch("uid-a2")).toBe(false);
  store.replaceAll([]);
  expect(changes).toEqual(["unlisted uid-a2"]);
});

test("a change of what only events show is not a change of the pod", () => {
  const store = createPodStore();
  const changes: string[] = [];
  store.put(pod("a"));
  store.subscribe(({ kind, pod: { containers } }) =>
    changes.push(`${kind} ${containers.map(({ id }) => id)}`),
  );
  const container = {
    id: "c1",
    runtime: "containerd",
    name: "app",
    image: "web",
    imageId: "",
    startedMs: undefined,
  };
  store.put({ ...pod("a"), containers: [container] });
  store.put({ ...pod("a"), containers: [container] });
  store.put({ ...pod("a"), containers: [{ ...container, id: "c2" }] });
  store.put({ ...pod("a"), containers: [{ ...container, id: "c2", imageId: "sha256:1" }] });
  store.put({ ...pod("a"), containers: [{ ...container, id: "c2", startedMs: 1 }] });
  for (const workload of [
    { name: "b", kind: "Pod" },
    { name: "b", kind: "StatefulSet" },
  ])
    store.put({ ...pod("a"), workload, containers: [{ ...container, id: "c2", startedMs: 1 }] });
  store.put({ ...pod("a", "cart"), containers: [container] });
  expect(changes).toEqual(["containers c1", ...Array(5).fill("containers c2"), "changed c1"]);
});

test("a bounded number of deleted pods is remembered", () => {
  const store = createPodStore();
  for (let at = 0; at < 1100; at++) store.put(pod(`p${at}`));
  for (let at = 0; at < 1100; at++) store.remove(`uid-p${at}`);
  const remembered = Array.from({ length: 1100 }, (_, at) => store.wasDeleted(`uid-p${at}`));
  expect(remembered.filter(Boolean)).toHaveLength(1024);
  expect(remembered.at(-1)).toBe(true);
  store.put(pod("p1099"));
  expect(store.wasDeleted("uid-p1099")).toBe(false);
});
