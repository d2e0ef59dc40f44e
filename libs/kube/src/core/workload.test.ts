// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { toPod } from "./pod.ts";

const owner = (kind: string, name: string) => ({ kind, name, controller: true });
const pod = (metadata: object) =>
  toPod({ metadata: { uid: "u", namespace: "shop", name: "web-1", generateName: "web-", ...metadata } });

test.each([
  { name: "no owner", metadata: {}, workload: "Pod web-1" },
  {
    name: "an owner that is not the controller",
    metadata: {
      ownerReferences: [
        { kind: "Cluster", name: "c" },
        { ...owner("X", "x"), controller: false },
      ],
    },
    workload: "Pod web-1",
  },
  {
    name: "the controller among others",
    metadata: { ownerReferences: [{ kind: "Cluster", name: "c" }, owner("StatefulSet", "web")] },
    workload: "StatefulSet web",
  },
  {
    name: "a ReplicaSet of a Deployment",
    metadata: {
      labels: { "pod-template-hash": "6d4cf56db6" },
      ownerReferences: [owner("ReplicaSet", "shop-web-6d4cf56db6")],
    },
    workload: "Deployment shop-web",
  },
  {
    name: "a ReplicaSet by itself",
    metadata: { ownerReferences: [owner("ReplicaSet", "web-1f")] },
    workload: "ReplicaSet web-1f",
  },
  {
    name: "a ReplicaSet whose name does not have the pod's hash",
    metadata: { labels: { "pod-template-hash": "1f" }, ownerReferences: [owner("ReplicaSet", "web-2f")] },
    workload: "ReplicaSet web-2f",
  },
  {
    name: "a ReplicaSet of a pod without a hash",
    metadata: { ownerReferences: [owner("ReplicaSet", "web-")] },
    workload: "ReplicaSet web-",
  },
  {
    name: "a ReplicaSet whose name is the hash alone",
    metadata: { labels: { "pod-template-hash": "1f" }, ownerReferences: [owner("ReplicaSet", "-1f")] },
    workload: "Pod web-1",
  },
  {
    name: "a Job of a CronJob",
    metadata: { ownerReferences: [owner("Job", "backup-29012345")] },
    workload: "CronJob backup",
  },
  { name: "a Job by itself", metadata: { ownerReferences: [owner("Job", "a-1")] }, workload: "Job a-1" },
  {
    name: "OpenShift's DeploymentConfig",
    metadata: {
      labels: { deploymentconfig: "web" },
      ownerReferences: [owner("ReplicationController", "web-3")],
    },
    workload: "DeploymentConfig web",
  },
  {
    name: "a static pod: its node is not a workload",
    metadata: { generateName: null, ownerReferences: [owner("Node", "node-1")] },
    workload: "Pod web-1",
  },
  {
    name: "a name that cannot be one",
    metadata: { ownerReferences: [owner("StatefulSet", "x".repeat(254))] },
    workload: "Pod web-1",
  },
  {
    name: "a kind that cannot be one",
    metadata: { ownerReferences: [owner("X".repeat(64), "x")] },
    workload: "Pod web-1",
  },
  {
    name: "members of other types",
    metadata: { generateName: 1, ownerReferences: [{ kind: "Job", name: 1, controller: "yes" }] },
    workload: "Pod web-1",
  },
])("$name", ({ metadata, workload }) => {
  const read = pod(metadata)?.workload;
  expect(`${read?.kind} ${read?.name}`).toBe(workload);
});

test.each([
  { name: "a time", startedAt: "2026-01-02T03:04:05Z", startedMs: Date.UTC(2026, 0, 2, 3, 4, 5) },
  { name: "none", startedAt: null, startedMs: undefined },
  { name: "another text", startedAt: "soon", startedMs: undefined },
  { name: "a time that no message can have", startedAt: "+275760-01-01T00:00:00Z", startedMs: undefined },
  { name: "one before all containers", startedAt: "0001-01-01T00:00:00Z", startedMs: undefined },
  { name: "another type", startedAt: {}, startedMs: undefined },
])("a container's start: $name", ({ startedAt, startedMs }) => {
  const status = {
    name: "app",
    image: "web:1",
    imageID: "docker.io/web@sha256:1",
    containerID: "cri-o://c1",
  };
  const read = toPod({
    metadata: { uid: "u", namespace: "shop", name: "web-1" },
    status: { containerStatuses: [{ ...status, state: { running: { startedAt } } }] },
  });
  expect(read?.containers).toEqual([
    {
      id: "c1",
      runtime: "cri-o",
      name: "app",
      image: "docker.io/web@sha256:1",
      imageId: "docker.io/web@sha256:1",
      startedMs,
    },
  ]);
});

test("a container's image id that is too long is left out", () => {
  const status = {
    name: "app",
    imageID: "x".repeat(1025),
    containerID: "cri-o://c1",
    state: { running: {} },
  };
  const read = toPod({
    metadata: { uid: "u", namespace: "shop", name: "web-1" },
    status: { containerStatuses: [status] },
  });
  expect(read?.containers[0]?.imageId).toBe("");
});
