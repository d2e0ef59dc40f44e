// SPDX-License-Identifier: Apache-2.0
// Reports of the NRI plugin: labels, running containers, and stopped containers.
import { describe, expect, test } from "bun:test";
import { open, otherUid, retentionMs, web } from "./lifecycle.fixture.ts";

const path = "/kubepods/x/c1";
const nri = (labels: Record<string, string>, source = "nri") => ({
  trusted: { podLabels: JSON.stringify(labels), source },
});

describe("labels in a report", () => {
  test("are in the policy filter before the container starts, without a pod source", () => {
    const { report, cgroups, filtered, lifecycle } = open();
    cgroups.set(path, 7n);
    expect(report(nri({ app: "web" }))).toBe("released");
    expect(filtered()).toEqual(["c1 7 shop app=web"]);
    expect(lifecycle.list()).toMatchObject([{ source: "nri", podLabels: new Map([["app", "web"]]) }]);
  });

  test("are replaced by those of the pod source, in either order", () => {
    const { report, cgroups, filtered, pods } = open();
    cgroups.set(path, 7n);
    report(nri({ app: "old" }));
    pods.replaceAll([web({ app: "new" })]);
    expect(filtered()).toEqual(["c1 7 shop app=new"]);
    report(nri({ app: "old" }));
    cgroups.set("/c2", 8n);
    report({ containerId: "c2", cgroupsPath: "/c2", ...nri({ app: "old" }) });
    expect(filtered()).toEqual(["c1 7 shop app=new", "c2 8 shop app=new"]);
  });

  test("reach the containers that a hook reported without labels", () => {
    const { report, cgroups, filtered, lines } = open();
    cgroups.set(path, 7n).set("/c2", 8n);
    report({});
    report({ containerId: "c2", cgroupsPath: "/c2", ...nri({ app: "web" }) });
    expect(filtered()).toEqual(["c1 7 shop app=web", "c2 8 shop app=web"]);
    expect(lines).toContain("pod labels set by the runtime");
    // And a later call without labels takes none away.
    report({});
    expect(filtered()).toEqual(["c1 7 shop app=web", "c2 8 shop app=web"]);
  });
});

describe("a report of a running container", () => {
  test("adds a container that is not on record", () => {
    const { report, cgroups, filtered, lifecycle } = open();
    cgroups.set(path, 7n);
    expect(report(nri({ app: "web" }, "synchronize"))).toBe("released");
    expect(filtered()).toEqual(["c1 7 shop app=web"]);
    expect(lifecycle.list()[0]?.source).toBe("synchronize");
  });

  test("does not change one that is on record", () => {
    const { report, cgroups, lifecycle } = open();
    cgroups.set(path, 7n);
    report(nri({ app: "web" }));
    const before = lifecycle.list();
    const again = { containerName: "other", containerImage: "", ...nri({ app: "web" }, "synchronize") };
    expect(report(again)).toBe("released");
    expect(lifecycle.list()).toEqual(before);
  });

  test("of a container that is gone leaves no record", () => {
    const { report, lifecycle } = open();
    expect(report(nri({}, "synchronize"))).toMatchObject({ kind: "cgroup-missing" });
    expect(lifecycle.list()).toEqual([]);
    expect(lifecycle.containerIds()).toEqual([]);
  });

  test("does not remove one whose cgroup cannot be found now", () => {
    const { report, cgroups, filtered } = open();
    cgroups.set(path, 7n);
    report({});
    expect(report({ cgroupsPath: "/nowhere", ...nri({}, "synchronize") })).toMatchObject({
      kind: "cgroup-missing",
    });
    expect(filtered()).toEqual(["c1 7 shop"]);
  });
});

describe("a report that a container has ended", () => {
  test("ends it at once, and its pod with the last one; repeated or unknown, it changes nothing", () => {
    const { report, cgroups, filtered, lifecycle, lines } = open();
    cgroups.set(path, 7n).set("/c2", 8n);
    report({});
    report({ containerId: "c2", cgroupsPath: "/c2" });
    lifecycle.reportStopped(["c1", "c1", "unknown", "", "../c2", "__proto__"]);
    expect(filtered()).toEqual(["c2 8 shop"]);
    lifecycle.reportStopped(["c1"]);
    expect(lines).not.toContain("pod gone");
    lifecycle.reportStopped(["c2"]);
    expect(lifecycle.containerIds()).toEqual([]);
    expect(lines.filter((line) => line === "pod gone")).toHaveLength(1);
  });

  test("does not end it while it has processes; a sweep ends it when they have ended", () => {
    const { report, busy, cgroups, filtered, lifecycle } = open();
    cgroups.set(path, 7n);
    busy.add(path);
    report({});
    lifecycle.reportStopped(["c1"]);
    lifecycle.checkCgroup("c1");
    expect(filtered()).toEqual(["c1 7 shop"]);
    busy.clear();
    lifecycle.checkCgroup("c1");
    expect(filtered()).toEqual([]);
  });

  test("that is late does not end the next run of the same id", () => {
    const { report, busy, cgroups, filtered, lifecycle } = open();
    cgroups.set(path, 7n);
    busy.add(path);
    report({});
    lifecycle.reportStopped(["c1"]);
    cgroups.set(path, 8n);
    report({});
    busy.clear();
    lifecycle.checkCgroup("c1");
    expect(filtered()).toEqual(["c1 8 shop"]);
  });

  test("that arrives before the container's own call is ignored", () => {
    const { report, cgroups, filtered, lifecycle } = open();
    lifecycle.reportStopped(["c1"]);
    cgroups.set(path, 7n);
    expect(report({})).toBe("released");
    expect(filtered()).toEqual(["c1 7 shop"]);
    cgroups.delete(path);
    lifecycle.checkCgroup("c1");
    expect(lifecycle.list()).toEqual([]);
  });

  test("ends the container that has the id now", () => {
    const { report, busy, cgroups, filtered, lifecycle } = open();
    cgroups.set(path, 7n);
    report({});
    cgroups.set(path, 8n);
    busy.add(path);
    expect(report({ podUid: otherUid })).toBe("released");
    // The report was meant for the first one.
    lifecycle.reportStopped(["c1"]);
    expect(filtered()).toEqual(["c1 8 shop"]);
    busy.clear();
    lifecycle.reportStopped(["c1"]);
    expect(filtered()).toEqual([]);
  });

  test("removes a failed container from the record, and its timer", () => {
    const { report, clock, lifecycle, lines } = open();
    report({});
    lifecycle.reportStopped(["c1"]);
    expect(lifecycle.list()).toEqual([]);
    clock.increment(retentionMs);
    expect(lines.filter((line) => line === "container gone")).toHaveLength(1);
  });
});
