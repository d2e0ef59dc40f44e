// SPDX-License-Identifier: Apache-2.0
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pod } from "@rthooks/kube";
import { open, otherUid, uid, web } from "../core/lifecycle.fixture.ts";
import { openContainerFinder } from "./container-finder.ts";

const roots: string[] = [];
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true });
});

const container = {
  ...{ id: "a".repeat(64), name: "app", image: "docker.io/library/web@sha256:1" },
  ...{ runtime: "containerd", imageId: "", startedMs: undefined },
};
const running = (pod: Partial<Pod> = {}): Pod => ({
  ...web({ app: "web" }),
  containers: [container],
  ...pod,
});

/** Longer than any test. */
const never = 1_000_000;

interface Surroundings {
  /** Paths that the runtime gives. */
  readonly located?: ReadonlyMap<string, string>;
  readonly intervalMs?: number;
  /** Before each answer of the runtime. */
  readonly answering?: Promise<void>;
}

function begin({ located = new Map(), intervalMs = 20, answering }: Surroundings = {}) {
  const script = open();
  const root = mkdtempSync(join(tmpdir(), "rth-finder-"));
  roots.push(root);
  const asked: string[] = [];
  const finder = openContainerFinder({
    lifecycle: script.lifecycle,
    podSource: script.pods,
    cgroupRoot: root,
    intervalMs,
    fetchCgroupsPath: async (id) => {
      asked.push(id);
      await answering;
      return located.get(id);
    },
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  });
  const addCgroup = (podUid: string, id = container.id): string => {
    const path = `/kubepods/pod${podUid}/${id}`;
    mkdirSync(root + path, { recursive: true });
    script.cgroups.set(path, 42n);
    return path;
  };
  const known = () =>
    script.lifecycle.list().map(({ id, state, source, podUid }) => ({ id, state, source, podUid }));
  return { ...script, finder, asked, addCgroup, known };
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    if (tries > 500) throw new Error("the condition was never met");
    await Bun.sleep(10);
  }
}

const found = { id: container.id, state: "released", source: "scan", podUid: uid };

test("a container that the pod source lists is found, with its pod's labels", async () => {
  const { finder, pods, addCgroup, known, filtered } = begin();
  addCgroup(uid);
  pods.put(running());
  await until(() => known().length > 0);
  expect(known()).toEqual([found]);
  expect(filtered()).toEqual([`${container.id} 42 shop app=web`]);
  finder.close();
});

test("one without a cgroup yet is searched again", async () => {
  const { finder, pods, addCgroup, known, asked } = begin();
  pods.put(running());
  await until(() => asked.length > 2);
  expect(known()).toEqual([]);
  addCgroup(uid);
  await until(() => known().length > 0);
  expect(known()).toEqual([found]);
  finder.close();
});

const newOne = { ...container, id: "b".repeat(64) };
const newPod = running({ uid: otherUid, name: "web-1", containers: [newOne] });

test("a new one does not wait for the next search for one that was not found", async () => {
  const { finder, pods, addCgroup, known } = begin({ intervalMs: never });
  pods.put(running());
  await until(() => finder.listMissing().length > 0);
  addCgroup(otherUid, newOne.id);
  pods.put(newPod);
  await until(() => known().length > 0);
  expect(known()).toMatchObject([{ id: newOne.id, source: "scan" }]);
  finder.close();
});

test("one that is listed during a search is searched right after it", async () => {
  const { promise: answering, resolve: answer } = Promise.withResolvers<void>();
  const { finder, pods, addCgroup, known, asked } = begin({ intervalMs: never, answering });
  pods.put(running());
  await until(() => asked.length > 0);
  addCgroup(otherUid, newOne.id);
  pods.put(newPod);
  answer();
  await until(() => known().length > 0);
  expect(known()).toMatchObject([{ id: newOne.id, source: "scan" }]);
  finder.close();
});

test("changes of a pod do not shorten the pause for its container that was not found", async () => {
  const { finder, pods, asked } = begin({ intervalMs: never });
  pods.put(running());
  await until(() => finder.listMissing().length > 0);
  for (const step of ["1", "2", "3"]) {
    pods.put(running({ labels: new Map([["step", step]]) }));
    await Bun.sleep(40);
  }
  expect(asked).toEqual([container.id]);
  finder.close();
});

test("one in an unusual place is found at the path that the runtime gives", async () => {
  const { finder, pods, cgroups, known } = begin({ located: new Map([[container.id, "/elsewhere/c"]]) });
  cgroups.set("/elsewhere/c", 7n);
  pods.put(running());
  await until(() => known().length > 0);
  expect(known()).toEqual([found]);
  finder.close();
});

test("one that a hook reported stays as it is; one whose hook call was refused is reported again", async () => {
  const { finder, pods, addCgroup, known, report, asked } = begin();
  const path = addCgroup(uid);
  pods.put(running({ containers: [] }));
  expect(report({ containerId: container.id, cgroupsPath: path })).toBe("released");
  expect(report({ containerId: "late", cgroupsPath: `/kubepods/pod${uid}/late` })).not.toBe("released");
  addCgroup(uid, "late");
  pods.put(running({ containers: [container, { ...container, id: "late" }] }));
  await until(() => known().every(({ state }) => state === "released"));
  expect(known().map(({ id, source }) => `${id} ${source}`)).toEqual([`${container.id} hook`, "late hook"]);
  expect(asked).toEqual([]);
  finder.close();
});

test("a static pod's containers are found by the hash under which the kubelet runs it", async () => {
  const { finder, pods, addCgroup, known } = begin();
  const hash = "0123456789abcdef0123456789abcdef";
  addCgroup(hash);
  pods.put(running({ staticPodHash: hash }));
  await until(() => known().length > 0);
  expect(known()).toEqual([{ ...found, podUid: hash }]);
  // Its mirror pod is deleted in the API and created again; the container keeps running.
  pods.remove(uid);
  expect(known()).toHaveLength(1);
  pods.put(running({ uid: otherUid, staticPodHash: hash, labels: new Map([["app", "other"]]) }));
  expect(known()).toHaveLength(1);
  expect(pods.find({ uid: hash, namespace: "shop", name: "web-0" })?.uid).toBe(otherUid);
  finder.close();
});

test("a container of a deleted pod is not searched any more", async () => {
  const { finder, pods, known, asked, addCgroup } = begin();
  pods.put(running());
  await until(() => asked.length > 0);
  pods.remove(uid);
  const tries = asked.length;
  addCgroup(uid);
  await Bun.sleep(100);
  expect(asked.length).toBeLessThanOrEqual(tries + 1);
  expect(known()).toEqual([]);
  finder.close();
});

test("one that is not found is listed, with the reason, until it is found or has ended", async () => {
  const { finder, pods, addCgroup, known, asked } = begin({
    located: new Map([["elsewhere", "/not/there"]]),
  });
  pods.put(running({ containers: [container, { ...container, id: "elsewhere" }] }));
  await until(() => finder.listMissing().length === 2);
  expect(finder.listMissing()).toMatchObject([
    { id: container.id, podUid: uid, podName: "web-0", name: "app", state: "missing", source: "scan" },
    { id: "elsewhere", state: "missing", error: "no cgroup /not/there" },
  ]);
  expect(finder.problem()).toBe("");
  addCgroup(uid);
  await until(() => known().length > 0);
  expect(finder.listMissing().map(({ id }) => id)).toEqual(["elsewhere"]);
  pods.put(running());
  expect(finder.listMissing()).toEqual([]);
  expect(asked.length).toBeGreaterThan(0);
  finder.close();
});

test("one that has ended is not missing, though it is listed as running for a while", async () => {
  const { finder, lifecycle, pods, addCgroup, known, asked, cgroups } = begin();
  const path = addCgroup(uid);
  pods.put(running());
  await until(() => known().length > 0);
  cgroups.delete(path);
  rmSync(join(roots.at(-1) ?? "", path), { recursive: true });
  lifecycle.checkCgroup(container.id);
  pods.put(running({ labels: new Map() }));
  await until(() => asked.length > 1);
  expect([finder.listMissing(), finder.problem()]).toEqual([[], ""]);
  finder.close();
});

test("a static pod's hash is ignored for a container that the runtime has in another pod", async () => {
  const claimed = "0123456789abcdef0123456789abcdef";
  const { finder, pods, cgroups, known } = begin({ located: new Map([[container.id, "/elsewhere/c"]]) });
  cgroups.set("/elsewhere/c", 7n);
  pods.put(running({ staticPodHash: claimed }));
  await until(() => known().length > 0);
  expect(known()).toEqual([found]);
  finder.close();
});
