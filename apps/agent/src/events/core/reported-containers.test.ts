// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test } from "bun:test";
import type { Pod } from "@rthooks/kube";
import { err, ok } from "@rthooks/result";
import type { PlacedContainer } from "../../enforcement/core/rule-members.ts";
import { createPodStore, type PodStore } from "../../pods/core/pod-store.ts";
import type { EventContainer } from "./agent-event.ts";
import { type ReportedContainers, reportContainers } from "./reported-containers.ts";

const one: PlacedContainer = {
  ...{ containerId: "c1", containerName: "app", image: "busybox", cgroupId: 7n, podUid: "u", podName: "p" },
  ...{ namespace: "n", labels: new Map([["app", "web"]]), hasAllLabels: true, level: 3 },
};
let log: string[];
let last: EventContainer | undefined;
let isFull: boolean;
let pods: PodStore;
let containers: ReportedContainers;
beforeEach(() => {
  log = [];
  isFull = false;
  last = undefined;
  pods = createPodStore();
  containers = reportContainers({
    podSource: pods,
    events: {
      putContainer(container) {
        const { cgroupId, id, podName, labels } = container;
        last = container;
        log.push(`event ${id} ${cgroupId} ${podName} ${[...labels].join()}`);
      },
      removeContainer: (cgroupId) => void log.push(`event gone ${cgroupId}`),
    },
    sink: {
      add({ containerId }) {
        log.push(`kernel ${containerId}`);
        return isFull ? err({ kind: "filter-full", message: "full" }) : ok(undefined);
      },
      remove: (containerId) => void log.push(`kernel gone ${containerId}`),
      updatePod: ({ containerIds }) => void log.push(`kernel update ${[...containerIds].join()}`),
    },
  });
});

test("a container is told before the kernel has it, and until the kernel has it no more", () => {
  containers.add(one);
  containers.remove("c1");
  containers.remove("c1");
  expect(log).toEqual([
    ...["event c1 7 p app,web", "kernel c1", "kernel gone c1", "event gone 7", "kernel gone c1"],
  ]);
});

test("a container that is refused is taken back", () => {
  isFull = true;
  expect(containers.add(one).ok).toBe(false);
  expect(log).toEqual(["event c1 7 p app,web", "kernel c1", "event gone 7"]);
  expect(containers.findContainerId(7n)).toBeUndefined();
});

test("a container with another cgroup is no longer in the old one", () => {
  containers.add(one);
  containers.add({ ...one, cgroupId: 8n });
  expect(log).toEqual([
    "event c1 7 p app,web",
    "kernel c1",
    "event gone 7",
    "event c1 8 p app,web",
    "kernel c1",
  ]);
  expect([containers.findContainerId(7n), containers.findContainerId(8n)]).toEqual([undefined, "c1"]);
});

test("a later change of a pod updates the events of its containers", () => {
  containers.add(one);
  const pod = { podUid: "u", podName: "q", namespace: "n", labels: new Map(), hasAllLabels: true };
  containers.updatePod({ ...pod, containerIds: ["c1", "unknown"] });
  expect(log.slice(2)).toEqual(["event c1 7 q ", "kernel update c1,unknown"]);
});

describe("the pod source says of a container", () => {
  const pod = (more: Partial<Pod> = {}): Pod => ({
    ...{ uid: "u", namespace: "n", name: "p", staticPodHash: undefined, labels: one.labels },
    ...{ workload: { name: "web", kind: "Deployment" }, containers: [], ...more },
  });
  const status = {
    id: "c1",
    runtime: "cri-o",
    name: "app",
    image: "busybox",
    imageId: "sha256:1",
    startedMs: 1000,
  };
  const ofPod = { workload: "web", workloadKind: "Deployment" };
  const ofStatus = { runtime: "cri-o", imageId: "sha256:1", startTimeMs: 1000 };
  const nothing = { workload: "", workloadKind: "", imageId: "", startTimeMs: undefined };

  test("what it knows already", () => {
    pods.put(pod({ containers: [status] }));
    containers.add(one);
    expect(last).toMatchObject({ id: "c1", ...ofPod, ...ofStatus });
    expect(log).toHaveLength(2);
  });

  test("what it learns later, once for each change of it", () => {
    containers.add(one);
    expect(last).toMatchObject(nothing);
    pods.put(pod());
    expect(last).toMatchObject({ ...nothing, ...ofPod });
    pods.put(pod({ containers: [status] }));
    expect(last).toMatchObject({ ...ofPod, ...ofStatus });
    pods.put(pod({ containers: [status, { ...status, id: "c2" }] }));
    pods.put(pod({ containers: [status], workload: { name: "db", kind: "StatefulSet" } }));
    expect(last).toMatchObject({ workload: "db", workloadKind: "StatefulSet", ...ofStatus });
    expect(log).toHaveLength(5);
  });

  test("the runtime, also for a container whose status it does not have yet", () => {
    pods.put(pod({ containers: [status] }));
    containers.add(one);
    containers.add({ ...one, containerId: "c2", cgroupId: 9n });
    expect(last).toMatchObject({ id: "c2", runtime: "cri-o", imageId: "" });
  });

  test("nothing of another pod with the name", () => {
    containers.add(one);
    pods.put(pod({ uid: "other", containers: [status] }));
    expect(last).toMatchObject(nothing);
  });

  test("what stays when the pod or its status is gone, and while the container is put again", () => {
    pods.put(pod({ containers: [status] }));
    containers.add(one);
    pods.put(pod());
    pods.remove("u");
    containers.add(one);
    expect(last).toMatchObject({ ...ofPod, ...ofStatus });
  });

  test("what is of its pod, when the identity is corrected", () => {
    pods.put(pod({ containers: [status] }));
    containers.add(one);
    const identity = { podUid: "v", podName: "q", namespace: "n", labels: one.labels, hasAllLabels: true };
    containers.updatePod({ ...identity, containerIds: ["c1"] });
    expect(last).toMatchObject(nothing);
  });

  test("by the mirror of a static pod", () => {
    const hash = "0123456789abcdef0123456789abcdef";
    containers.add({ ...one, podUid: hash });
    pods.put(pod({ staticPodHash: hash, workload: { name: "p", kind: "Pod" }, containers: [status] }));
    expect(last).toMatchObject({ workload: "p", workloadKind: "Pod", ...ofStatus });
  });

  test("nothing after the end of the container, or of the subscription", () => {
    containers.add(one);
    containers.remove("c1");
    pods.put(pod());
    containers.add(one);
    containers.close();
    const count = log.length;
    pods.put(pod({ containers: [status] }));
    expect(log).toHaveLength(count);
  });
});

test("whether a container runs already is told once, with its cgroup", () => {
  const told: unknown[] = [];
  const events = {
    putContainer: ({ cgroupPath }: EventContainer, runsAlready: boolean) =>
      void told.push([cgroupPath, runsAlready]),
    removeContainer() {},
  };
  const sink = { add: () => ok(undefined), remove() {}, updatePod() {} };
  const reported = reportContainers({ events, sink, podSource: pods });
  reported.add({ ...one, cgroupPath: "/pod/c1", runsAlready: true });
  const update = { podUid: "u", podName: "p", namespace: "n", labels: new Map(), hasAllLabels: true };
  reported.updatePod({ ...update, containerIds: ["c1"] });
  reported.add({ ...one, containerId: "c2", cgroupId: 9n });
  expect(told).toEqual([
    ["/pod/c1", true],
    ["/pod/c1", false],
    [undefined, false],
  ]);
});
