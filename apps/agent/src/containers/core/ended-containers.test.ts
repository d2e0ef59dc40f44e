// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import type { ContainerFacts } from "./container-facts.ts";
import { createEndedContainers } from "./ended-containers.ts";

const ended = (containerId: string, image = "", labels = new Map<string, string>()): ContainerFacts => ({
  report: {
    ...{ containerId, image, containerName: "app", podUid: "u", podNamespace: "shop", podName: "web-0" },
    ...{ podLabels: labels, source: "hook", cgroupsPath: "/c", cgroup: undefined },
    ...{ answerByMs: 0, seenAtNanos: 1n, arrivedMs: undefined },
  },
  ...{ source: "hook", reportedAtNanos: 1n, pod: undefined, cgroup: undefined, failure: undefined },
  ...{ state: "gone", times: undefined, endedMs: 1 },
});
const ids = (containers: ReturnType<typeof createEndedContainers>) =>
  [...containers.list()].map(({ report }) => report.containerId);

test("the newest ones stay, and one that ends again is the newest", () => {
  const containers = createEndedContainers(2);
  for (const id of ["a", "b", "a", "c"]) containers.add(ended(id));
  expect(ids(containers)).toEqual(["a", "c"]);
  expect([containers.find("b"), containers.find("c")?.report.containerId]).toEqual([undefined, "c"]);
});

test("long images and labels leave room for fewer", () => {
  const containers = createEndedContainers(100, 1_000);
  for (const id of ["a", "b", "c"]) containers.add(ended(id, "x".repeat(400)));
  expect(ids(containers)).toEqual(["b", "c"]);
  containers.add(ended("d", "", new Map([["key", "v".repeat(700)]])));
  expect(ids(containers)).toEqual(["d"]);
  containers.add(ended("d"));
  for (const id of ["a", "b"]) containers.add(ended(id, "x".repeat(400)));
  expect(ids(containers)).toEqual(["d", "a", "b"]);
});
