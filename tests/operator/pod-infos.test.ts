// SPDX-License-Identifier: Apache-2.0
// The built operator keeps one PodInfo for each pod of the cluster.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import {
  forbid,
  startCluster,
  startOperator,
  type TestCluster,
  type TestOperator,
} from "./start-operator.ts";

const workspace = createWorkspace("oppod");
let cluster: TestCluster;
let operator: TestOperator;
beforeAll(async () => {
  cluster = startCluster(workspace);
  cluster.api.put({
    uid: "u-web",
    name: "web-5d-x1",
    generateName: "web-5d-",
    ip: "10.0.0.1",
    ...deployment,
  });
  operator = startOperator(workspace, cluster);
  await operator.isServing();
});
afterAll(() => workspace.close());

const deployment = {
  labels: { app: "web", "pod-template-hash": "5d" },
  annotations: { note: "a" },
  ownerReferences: [
    { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-5d", uid: "rs", controller: true },
  ],
};
const pathOf = (name: string): string => `/apis/cilium.io/v1alpha1/namespaces/shop/podinfo/${name}`;
const find = (name: string) => cluster.objects.find(pathOf(name));
const writesOf = (name: string): readonly string[] =>
  cluster.objects.writes.filter((write) => write.endsWith(pathOf(name)));
const appears = (name: string) => waitFor(`the PodInfo of ${name}`, () => find(name), 60_000);

test("a pod of a Deployment has its PodInfo, as Tetragon's operator writes it", async () => {
  expect(await appears("web-5d-x1")).toMatchObject({
    ...{ apiVersion: "cilium.io/v1alpha1", kind: "PodInfo" },
    metadata: {
      ...{ name: "web-5d-x1", namespace: "shop", labels: deployment.labels, annotations: { note: "a" } },
      ownerReferences: [
        {
          ...{ apiVersion: "v1", kind: "Pod", name: "web-5d-x1", uid: "u-web" },
          ...{ controller: true, blockOwnerDeletion: true },
        },
      ],
    },
    spec: { hostNetwork: false, nodeName: "node-1" },
    status: { podIP: "10.0.0.1", podIPs: [{ IP: "10.0.0.1" }] },
    workloadObject: { name: "web", namespace: "shop" },
    workloadType: { apiVersion: "apps/v1", kind: "Deployment" },
  });
});

test("pods of all nodes have one, and a pod without an address gets it with the address", async () => {
  cluster.api.put({ uid: "u-1", name: "late" });
  cluster.api.put({ uid: "u-2", name: "far", nodeName: "node-2", ip: "fd00::2", isHostNetwork: true });
  expect(await appears("far")).toMatchObject({
    spec: { hostNetwork: true, nodeName: "node-2" },
    workloadType: { apiVersion: "v1", kind: "Pod" },
  });
  expect(find("late")).toBeUndefined();
  cluster.api.put({ uid: "u-1", name: "late", ip: "10.0.0.3" });
  await appears("late");
});

test("it follows changes of its pod, and nothing is written without one", async () => {
  cluster.api.put({ uid: "u-3", name: "moving", ip: "10.0.0.4" });
  await appears("moving");
  // Containers are not in it.
  cluster.api.put({
    uid: "u-3",
    name: "moving",
    ip: "10.0.0.4",
    containers: [{ id: "c", name: "c", image: "i" }],
  });
  cluster.api.put({ uid: "u-3", name: "moving", ip: "10.0.0.4", labels: { app: "new" } });
  await waitFor("its label", () => Object(find("moving")?.metadata["labels"]).app === "new", 60_000);
  expect(writesOf("moving")).toEqual([`POST ${pathOf("moving")}`, `PUT ${pathOf("moving")}`]);
});

test("another pod of the same name takes it over", async () => {
  cluster.api.put({ uid: "u-4", name: "db-0", ip: "10.0.0.5" });
  await appears("db-0");
  cluster.api.delete("u-4");
  cluster.api.put({ uid: "u-5", name: "db-0", ip: "10.0.0.6" });
  const owner = () => Object(Object(find("db-0")?.metadata["ownerReferences"])[0]).uid;
  await waitFor("the new owner", () => owner() === "u-5", 60_000);
});

test("what another program changes in it is put right", async () => {
  cluster.api.put({ uid: "u-6", name: "edited", ip: "10.0.0.7" });
  const found = await appears("edited");
  cluster.objects.put(pathOf("edited"), { ...found, status: { podIP: "6.6.6.6" } });
  await waitFor("the address", () => Object(find("edited")?.["status"]).podIP === "10.0.0.7", 60_000);
});

test("annotations that are too large are left out, and the pod counts", async () => {
  const annotations = { large: "x".repeat(40_000) };
  cluster.api.put({ uid: "u-7", name: "large", ip: "10.0.0.8", labels: { app: "l" }, annotations });
  expect((await appears("large")).metadata).toMatchObject({ labels: { app: "l" }, annotations: {} });
});

test("a missing right is one line and a problem of readiness, until it is there", async () => {
  forbid(cluster.api, /podinfo$/, ["POST"]);
  for (const name of ["no-1", "no-2", "no-3"]) cluster.api.put({ uid: name, name, ip: "10.0.0.9" });
  await waitFor(
    "it is not ready",
    async () => (await operator.ready())[1].includes("cannot write PodInfo"),
    60_000,
  );
  const asked = cluster.api.requests.length;
  await waitFor("it tries again", () => cluster.api.requests.length > asked + 10, 60_000);
  const lines = operator.process
    .stderr()
    .split("\n")
    .filter((line) => line.includes("cannot post"));
  expect(lines.length).toBe(1);
  cluster.api.intercept = () => undefined;
  for (const name of ["no-1", "no-2", "no-3"]) await appears(name);
  await waitFor("it is ready", async () => (await operator.ready())[0] === 200, 60_000);
});
