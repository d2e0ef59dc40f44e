// SPDX-License-Identifier: Apache-2.0
import { beforeEach, expect, test } from "bun:test";
import { err, ok } from "@rthooks/result";
import type { PlacedContainer } from "../../enforcement/core/rule-members.ts";
import { type ReportedContainers, reportContainers } from "./reported-containers.ts";

const one: PlacedContainer = {
  ...{ containerId: "c1", containerName: "app", image: "busybox", cgroupId: 7n, podUid: "u", podName: "p" },
  ...{ namespace: "n", labels: new Map([["app", "web"]]), hasAllLabels: true, level: 3 },
};
let log: string[];
let isFull: boolean;
let containers: ReportedContainers;
beforeEach(() => {
  log = [];
  isFull = false;
  containers = reportContainers(
    {
      putContainer: ({ cgroupId, id, podName, labels }) =>
        void log.push(`event ${id} ${cgroupId} ${podName} ${[...labels].join()}`),
      removeContainer: (cgroupId) => void log.push(`event gone ${cgroupId}`),
    },
    {
      add({ containerId }) {
        log.push(`kernel ${containerId}`);
        return isFull ? err({ kind: "filter-full", message: "full" }) : ok(undefined);
      },
      remove: (containerId) => void log.push(`kernel gone ${containerId}`),
      updatePod: ({ containerIds }) => void log.push(`kernel update ${[...containerIds].join()}`),
    },
  );
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

test("what is known of a pod later is told of its containers", () => {
  containers.add(one);
  const pod = { podUid: "u", podName: "q", namespace: "n", labels: new Map(), hasAllLabels: true };
  containers.updatePod({ ...pod, containerIds: ["c1", "unknown"] });
  expect(log.slice(2)).toEqual(["event c1 7 q ", "kernel update c1,unknown"]);
});
