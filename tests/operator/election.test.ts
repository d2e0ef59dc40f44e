// SPDX-License-Identifier: Apache-2.0
// Two built operators and one lease: one works, and the other one takes over.
import { afterAll, expect, test } from "bun:test";
import { versionOf } from "../harness/kube-objects.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import {
  forbid,
  startCluster,
  startOperator,
  type TestCluster,
  type TestOperator,
} from "./start-operator.ts";

const workspace = createWorkspace("oplead");
afterAll(() => workspace.close());

const LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/tetragon-operator-resource-lock";
const leaseOf = ({ objects }: TestCluster) => Object(objects.find(LEASE)?.["spec"]);
const says = (operator: TestOperator, message: string): Promise<boolean> =>
  waitFor(message, () => operator.process.stderr().includes(`"${message}"`), 60_000);
const logged = ({ process }: TestOperator, message: string): number =>
  process.stderr().split(`"${message}"`).length - 1;

async function startTwo(cluster: TestCluster) {
  const first = startOperator(workspace, cluster);
  await first.isServing();
  const second = startOperator(workspace, cluster);
  await says(second, "following");
  return { first, second };
}

test("of two operators one leads; the other is ready and writes nothing", async () => {
  const cluster = startCluster(workspace);
  const { first, second } = await startTwo(cluster);
  expect(await second.ready()).toEqual([200, "ok"]);
  expect(await second.metrics()).toMatch(/^tetragon_operator_leader 0$/m);
  expect(await first.metrics()).toMatch(/^tetragon_operator_leader 1$/m);
  expect(leaseOf(cluster)).toMatchObject({ leaseDurationSeconds: 4, leaseTransitions: 0 });
  const renewed = leaseOf(cluster).renewTime;
  await waitFor("it is renewed", () => leaseOf(cluster).renewTime !== renewed);
  expect(logged(second, "leading")).toBe(0);
  await first.stop();
  await second.stop();
});

test("a leader that is killed is followed by the other one, after the duration of the lease", async () => {
  const cluster = startCluster(workspace);
  const { first, second } = await startTwo(cluster);
  first.process.signal("SIGKILL");
  await first.process.exited;
  const endedMs = performance.now();
  await says(second, "leading");
  // Not before the lease has expired: it was renewed at most a retry period and a request before.
  expect(performance.now() - endedMs).toBeGreaterThan(4_000 - 400 - 1_500);
  await second.isServing();
  expect(leaseOf(cluster).leaseTransitions).toBe(1);
  await second.stop();
});

test("a leader that stops gives the lease back, and the other one does not wait", async () => {
  const cluster = startCluster(workspace);
  const { first, second } = await startTwo(cluster);
  const { exitCode } = await first.stop();
  expect(exitCode).toBe(0);
  expect(leaseOf(cluster).holderIdentity === "" || logged(second, "leading") === 1).toBe(true);
  await says(second, "leading");
  expect(leaseOf(cluster)).toMatchObject({ leaseTransitions: 1, leaseDurationSeconds: 4 });
  await second.stop();
});

test("a leader that cannot renew the lease writes nothing more, and leads again later", async () => {
  const cluster = startCluster(workspace);
  const { api, objects } = cluster;
  const operator = startOperator(workspace, cluster);
  await operator.isServing();
  forbid(api, /leases/, ["GET", "PUT"]);
  await says(operator, "the lease is lost: this operator writes nothing more");
  const { length } = objects.writes;
  api.put({ uid: "pod-1", name: "web", ip: "10.0.0.1" });
  const [status, problem] = await operator.ready();
  expect([status, problem]).toEqual([503, expect.stringContaining("cannot take the lease")]);
  const asked = api.requests.length;
  await waitFor("it asks for the lease", () => api.requests.length > asked + 3, 60_000);
  expect(objects.writes.length).toBe(length);
  api.intercept = () => undefined;
  await waitFor("it leads again", () => logged(operator, "leading") === 2, 60_000);
  const path = "/apis/cilium.io/v1alpha1/namespaces/shop/podinfo/web";
  await waitFor("the pod's PodInfo", () => objects.find(path) !== undefined, 60_000);
  await operator.stop();
});

test("a lease that another program has taken is lost at once", async () => {
  const cluster = startCluster(workspace);
  const operator = startOperator(workspace, cluster);
  await operator.isServing();
  const spec = {
    holderIdentity: "other",
    leaseDurationSeconds: 600,
    renewTime: "2026-01-01T00:00:00.000000Z",
  };
  cluster.objects.put(LEASE, { metadata: { name: "tetragon-operator-resource-lock" }, spec });
  await says(operator, "the lease is lost: this operator writes nothing more");
  expect(await operator.metrics()).toMatch(/^tetragon_operator_leader 0$/m);
  expect(operator.process.stderr()).toContain("other has the lease");
  await operator.stop();
  expect(leaseOf(cluster).holderIdentity).toBe("other");
});

test("an operator outlives restarts of the API server, before and after it leads", async () => {
  const cluster = startCluster(workspace);
  const { api, objects } = cluster;
  api.failsWith = 503;
  const operator = startOperator(workspace, cluster);
  await says(operator, "cannot take the lease; retrying");
  api.failsWith = undefined;
  await operator.isServing();
  await api.restart(api.certs.server);
  api.put({ uid: "pod-2", name: "api", ip: "10.0.0.2" });
  const path = "/apis/cilium.io/v1alpha1/namespaces/shop/podinfo/api";
  await waitFor("a PodInfo after the restart", () => objects.find(path) !== undefined, 60_000);
  expect(versionOf(objects, "podinfo.cilium.io")).toBe("1.8.13");
  await operator.stop();
});
