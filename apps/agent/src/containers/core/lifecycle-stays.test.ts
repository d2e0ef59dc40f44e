// SPDX-License-Identifier: Apache-2.0
// A running container stays in its policies until its cgroup is gone, whatever callers and the pod source report.
import { describe, expect, test } from "bun:test";
import type { Pod } from "@rthooks/kube";
import { createMemoryPolicyFilter, open, otherUid, uid, web } from "./lifecycle.fixture.ts";

const path = "/kubepods/x/c1";
const synchronize = { trusted: { podLabels: undefined, source: "synchronize" } };

describe("a pod that is deleted while its containers run", () => {
  const begin = () => {
    const script = open();
    script.cgroups.set(path, 7n).set("/kubepods/x/c2", 8n);
    script.pods.replaceAll([web({ app: "web" })]);
    script.report({});
    script.pods.remove(uid);
    return script;
  };

  test("keeps them in the policy filter, with their identity, until their cgroups are gone", () => {
    const { report, cgroups, filtered, lifecycle, lines } = begin();
    lifecycle.checkCgroup("c1");
    expect(filtered()).toEqual(["c1 7 shop app=web"]);
    expect(report({})).toBe("released");
    expect(report(synchronize)).toBe("released");
    expect(filtered()).toEqual(["c1 7 shop app=web"]);
    cgroups.delete(path);
    lifecycle.checkCgroup("c1");
    expect([filtered(), lifecycle.containerIds()]).toEqual([[], []]);
    expect(lines).toContain("pod gone");
  });

  test("starts no other container", () => {
    const { report, filtered, lifecycle } = begin();
    const other = { containerId: "c2", cgroupsPath: "/kubepods/x/c2" };
    expect(report(other)).toMatchObject({ kind: "pod-gone" });
    expect(filtered()).toEqual(["c1 7 shop app=web"]);
    expect(lifecycle.list()).toHaveLength(1);
  });

  test("is confirmed again when the source has it again", () => {
    const { report, filtered, pods } = begin();
    pods.put(web({ app: "cart" }));
    expect(report({ containerId: "c2", cgroupsPath: "/kubepods/x/c2" })).toBe("released");
    expect(filtered()).toEqual(["c1 7 shop app=cart", "c2 8 shop app=cart"]);
  });

  test("forgets a container that was refused", () => {
    const { report, lifecycle, pods } = open();
    pods.put(web({}));
    report({});
    expect(lifecycle.list()).toMatchObject([{ state: "failed" }]);
    pods.remove(uid);
    expect(lifecycle.list()).toEqual([]);
  });

  test("is not the pod of a report without a UID, once another pod has its name", () => {
    const { report, cgroups, filtered, pods } = open();
    cgroups.set("/a", 7n).set("/b", 8n);
    pods.put(web({ app: "old" }));
    expect(report({ containerId: "a", cgroupsPath: "/a", podUid: "" })).toBe("released");
    pods.put({ ...web({ app: "new" }), uid: otherUid });
    expect(report({ containerId: "b", cgroupsPath: "/b", podUid: "" })).toBe("released");
    expect(filtered()).toEqual(["a 7 shop app=old", "b 8 shop app=new"]);
  });
});

test("a pod that a list lacks keeps its containers and its identity, and may start others", () => {
  const { report, cgroups, filtered, lifecycle, pods } = open();
  cgroups.set(path, 7n).set("/kubepods/x/c2", 8n);
  pods.replaceAll([web({ app: "web" })]);
  report({});
  pods.replaceAll([]);
  report({ containerId: "c2", cgroupsPath: "/kubepods/x/c2" });
  expect(filtered()).toEqual(["c1 7 shop app=web", "c2 8 shop app=web"]);
  pods.replaceAll([web({ app: "cart" })]);
  expect(filtered()).toEqual(["c1 7 shop app=cart", "c2 8 shop app=cart"]);
  pods.replaceAll([]);
  cgroups.clear();
  for (const id of lifecycle.containerIds()) lifecycle.checkCgroup(id);
  expect([filtered(), lifecycle.list()]).toEqual([[], []]);
});

describe("a repeated call that names another cgroup", () => {
  test("below the container's own means the container's own", () => {
    const { report, cgroups, filtered, lifecycle } = open();
    cgroups.set(path, 7n);
    report({});
    cgroups.set(`${path}/container`, 70n);
    for (const cgroupsPath of [path, `${path}/container`]) {
      expect(report({ ...synchronize, cgroupsPath })).toBe("released");
      expect(report({ cgroupsPath })).toBe("released");
    }
    lifecycle.checkCgroup("c1");
    expect(filtered()).toEqual(["c1 7 shop"]);
  });

  test("is refused while the first one exists, empty or not, and changes nothing", () => {
    const { report, busy, cgroups, filtered } = open();
    cgroups.set(path, 7n).set("/kubepods/x/decoy", 9n);
    report({});
    for (const isBusy of [false, true]) {
      if (isBusy) busy.add(path);
      for (const call of [{}, synchronize]) {
        expect(report({ ...call, cgroupsPath: "/kubepods/x/decoy" })).toEqual({
          kind: "cgroup-conflict",
          message: `container c1 has the cgroup ${path}, which still exists: it is not in /kubepods/x/decoy`,
        });
        expect(filtered()).toEqual(["c1 7 shop"]);
      }
    }
    cgroups.delete(path);
    expect(report({ cgroupsPath: "/kubepods/x/decoy" })).toBe("released");
    expect(filtered()).toEqual(["c1 9 shop"]);
  });

  test("and brings the pod's UID does not remove the container for a moment", () => {
    const removed: string[] = [];
    const memory = createMemoryPolicyFilter();
    const remove = (id: string): void => {
      removed.push(id);
      memory.remove(id);
    };
    const { report, cgroups, filtered, lifecycle, pods } = open({
      policyFilter: { ...memory, remove },
    });
    cgroups.set(path, 7n).set("/d", 9n);
    report({ podUid: "" });
    pods.put(web({ app: "web" }));
    const unnamed = { podUid: "", podName: "", podNamespace: "" };
    cgroups.set("/e", 10n);
    report({ ...unnamed, containerId: "e", cgroupsPath: "/e" });
    expect(report({ cgroupsPath: "/d" })).toMatchObject({ kind: "cgroup-conflict" });
    expect(report({ containerId: "e", cgroupsPath: "/e" })).toBe("released");
    expect(filtered()).toEqual(["c1 7 shop app=web", "e 10 shop app=web"]);
    pods.put(web({ app: "cart" }));
    expect(filtered()).toEqual(["c1 7 shop app=cart", "e 10 shop app=cart"]);
    expect([removed, lifecycle.list().length]).toEqual([[], 2]);
  });
});

describe("a cgroup that another container has", () => {
  const own = "/kubepods/x";
  test.each([
    { name: "the same", cgroupsPath: path },
    { name: "one below", cgroupsPath: `${path}/inner` },
    { name: "one above", cgroupsPath: own },
  ])("is refused to a second one, which would share its policies: $name", ({ cgroupsPath }) => {
    const { report, cgroups, filtered } = open();
    cgroups.set(path, 7n).set(`${path}/inner`, 8n).set(own, 9n);
    report({});
    const call = { containerId: "other", cgroupsPath, podUid: otherUid, podName: "other" };
    const refused = { kind: "cgroup-conflict", message: expect.stringContaining(`container c1, ${path}`) };
    expect(report(call)).toMatchObject(refused);
    expect(report({ ...call, ...synchronize })).toMatchObject(refused);
    expect(filtered()).toEqual(["c1 7 shop"]);
    // The first one has ended.
    for (const gone of [path, `${path}/inner`]) cgroups.delete(gone);
    cgroups.set(cgroupsPath, 19n);
    expect(report(call)).toBe("released");
    expect(filtered()).toEqual(["other 19 shop"]);
  });
});

describe("an identity of a hook call that the pod source contradicts", () => {
  test("is replaced by the source's, where the pod is found by its UID", () => {
    const { report, cgroups, filtered, lifecycle, lines, pods } = open();
    cgroups.set(path, 7n);
    expect(report({ podNamespace: "elsewhere", podName: "other" })).toBe("released");
    pods.put(web({ app: "web" }));
    expect(filtered()).toEqual(["c1 7 shop app=web"]);
    expect(lifecycle.list()).toMatchObject([{ podNamespace: "shop", podName: "web-0" }]);
    expect(lines).toContain("pod source contradicts the hook call");
  });

  test("is not replaced by that of another pod that claims a static pod's hash", () => {
    const { report, cgroups, filtered, pods } = open();
    const hash = "0123456789abcdef0123456789abcdef";
    const mirror: Pod = { ...web({ app: "web" }), staticPodHash: hash };
    const claim: Pod = { ...web({ app: "evil" }, "tenant"), uid: otherUid, staticPodHash: hash };
    cgroups.set(path, 7n);
    report({ podUid: hash });
    pods.put(claim);
    expect(filtered()).toEqual(["c1 7 shop"]);
    pods.put(mirror);
    pods.put({ ...claim, labels: new Map() });
    pods.remove(otherUid);
    expect(filtered()).toEqual(["c1 7 shop app=web"]);
  });
});

test("a static pod whose mirror is gone keeps its labels, may start containers, and ends with the last one", () => {
  const { report, cgroups, filtered, lifecycle, pods } = open();
  const hash = "0123456789abcdef0123456789abcdef";
  cgroups.set(path, 7n).set("/kubepods/x/c2", 8n);
  pods.put({ ...web({ app: "web" }), staticPodHash: hash });
  report({ podUid: hash });
  pods.remove(uid);
  report({ podUid: hash, containerId: "c2", cgroupsPath: "/kubepods/x/c2" });
  expect(filtered()).toEqual(["c1 7 shop app=web", "c2 8 shop app=web"]);
  cgroups.clear();
  for (const id of lifecycle.containerIds()) lifecycle.checkCgroup(id);
  expect(lifecycle.list()).toEqual([]);
});

test("a call whose deadline has passed is refused as too late, and not because the cgroup is missing", () => {
  const { report, lifecycle } = open();
  expect(report({}, 999_999)).toMatchObject({ kind: "too-late" });
  expect(lifecycle.list()).toMatchObject([
    { state: "failed", error: expect.stringContaining("stopped waiting") },
  ]);
  expect(report({}, 1_000_001)).toMatchObject({ kind: "cgroup-missing" });
});

test("a listed container that has ended is logged once, at debug level", () => {
  const { report, lines } = open();
  for (let at = 0; at < 5; at++) report(synchronize);
  expect(lines).toEqual(["container ended before it was registered"]);
});
