// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import type { Pod } from "./pod-source.ts";
import { createPodStore } from "./pod-store.ts";

const hash = "0123456789abcdef0123456789abcdef";
const pod = (name: string, app = "web", staticPodHash?: string): Pod => ({
  uid: `uid-${name}`,
  staticPodHash,
  namespace: "shop",
  name,
  labels: new Map([["app", app]]),
});

test("a pod is found by uid, or by name where there is no uid", () => {
  const store = createPodStore();
  store.replaceAll([pod("a")]);
  expect(store.find({ uid: "uid-a", namespace: "", name: "" })?.name).toBe("a");
  expect(store.find({ uid: undefined, namespace: "shop", name: "a" })?.uid).toBe("uid-a");
  expect(store.find({ uid: undefined, namespace: "", name: "" })).toBeUndefined();
  // A pod that was made anew under the old name is another pod.
  expect(store.find({ uid: "uid-old", namespace: "shop", name: "a" })).toBeUndefined();
});

test("a static pod is found by its hash under its own name only", () => {
  const store = createPodStore();
  store.replaceAll([pod("etcd", "db", hash)]);
  expect(store.find({ uid: hash, namespace: "shop", name: "etcd" })?.uid).toBe("uid-etcd");
  expect(store.find({ uid: hash, namespace: "shop", name: "other" })).toBeUndefined();
});

test("subscribers hear what is new, other or gone, and nothing else", () => {
  const store = createPodStore();
  const heard: string[] = [];
  const unsubscribe = store.subscribe(({ kind, pod: { name } }) => heard.push(`${kind} ${name}`));
  store.replaceAll([pod("a"), pod("b")]);
  store.replaceAll([pod("a"), pod("b", "cart"), pod("c")]);
  store.replaceAll([pod("c")]);
  unsubscribe();
  store.replaceAll([]);
  expect(heard).toEqual(["changed a", "changed b", "changed b", "changed c", "deleted a", "deleted b"]);
});
