// SPDX-License-Identifier: Apache-2.0
// The built operator and the CRDs of a cluster: created, upgraded, never downgraded, served before it goes on.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tracingPolicyCrd } from "@rthooks/policy/crd";
import { CRDS, versionOf } from "../harness/kube-objects.ts";
import { runProcess } from "../harness/process.ts";
import { findOperator } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { forbid, startCluster, startOperator, type TestCluster } from "./start-operator.ts";

const workspace = createWorkspace("opcrd");
afterAll(() => workspace.close());

const POLICIES = "tracingpolicies.cilium.io";
const names = [POLICIES, "tracingpoliciesnamespaced.cilium.io", "podinfo.cilium.io"];

/** Without `serve`: the CRDs once. */
const install = ({ kubeconfig }: TestCluster, ...more: readonly string[]) =>
  runProcess([findOperator(), "--kube-config", kubeconfig, ...more]);

/** A CRD as another version of the operator left it. */
const putCrd = ({ objects }: TestCluster, version: string | undefined): void => {
  const labels = {
    other: "kept",
    ...(version === undefined ? {} : { "cilium.io.k8s.crd.schema.version": version }),
  };
  const spec = { ...tracingPolicyCrd.spec, names: { ...tracingPolicyCrd.spec.names, shortNames: ["old"] } };
  objects.put(`${CRDS}/${POLICIES}`, { ...tracingPolicyCrd, spec, metadata: { name: POLICIES, labels } });
};
const shortNamesOf = ({ objects }: TestCluster): unknown =>
  Object(Object(objects.find(`${CRDS}/${POLICIES}`)?.["spec"]).names).shortNames;

test("all CRDs are created once, with their version", async () => {
  const cluster = startCluster(workspace);
  expect(await install(cluster)).toMatchObject({ exitCode: 0 });
  expect(cluster.objects.writes).toEqual(names.map((name) => `POST ${CRDS}/${name}`));
  expect(names.map((name) => versionOf(cluster.objects, name))).toEqual(names.map(() => "1.8.13"));
  expect(await install(cluster)).toMatchObject({ exitCode: 0 });
  expect(cluster.objects.writes.length).toBe(3);
});

test.each<[string, string | undefined, readonly string[]]>([
  ["an older version", "1.8.9", ["tgtp"]],
  ["a version without its last number", "1.8", ["tgtp"]],
  ["a pre-release of the same version", "1.8.13-rc.1", ["tgtp"]],
  ["no version", undefined, ["tgtp"]],
  ["the same version", "1.8.13", ["old"]],
  ["a newer version", "1.10.0", ["old"]],
])("a CRD of %s", async (_name, version, expected) => {
  const cluster = startCluster(workspace);
  putCrd(cluster, version);
  expect(await install(cluster)).toMatchObject({ exitCode: 0 });
  expect(shortNamesOf(cluster)).toEqual(expected);
  const labels = Object(cluster.objects.find(`${CRDS}/${POLICIES}`)?.metadata["labels"]);
  expect(labels.other).toBe("kept");
});

test("a newer CRD is replaced only with --force-update-crds", async () => {
  const cluster = startCluster(workspace);
  putCrd(cluster, "2.0.0");
  expect(await install(cluster, "--force-update-crds")).toMatchObject({ exitCode: 0 });
  expect(shortNamesOf(cluster)).toEqual(["tgtp"]);
  expect(versionOf(cluster.objects, POLICIES)).toBe("1.8.13");
});

test("kinds that are not wanted are left out", async () => {
  const cluster = startCluster(workspace);
  await install(cluster, "--skip-pod-info-crd");
  expect(cluster.objects.writes.length).toBe(2);
  const others = startCluster(workspace);
  await install(others, "--skip-tracing-policy-crd");
  expect(others.objects.writes).toEqual([`POST ${CRDS}/podinfo.cilium.io`]);
});

test("a CRD that another program changes meanwhile is judged again", async () => {
  const cluster = startCluster(workspace);
  putCrd(cluster, "1.0.0");
  let changes = 0;
  cluster.api.intercept = ({ pathname }, { method }) => {
    // Between the operator's read and its write.
    if (method === "PUT" && pathname.endsWith(POLICIES) && changes++ < 2)
      putCrd(cluster, changes === 2 ? "9.0.0" : "1.1.0");
    return undefined;
  };
  expect(await install(cluster)).toMatchObject({ exitCode: 0 });
  expect(versionOf(cluster.objects, POLICIES)).toBe("9.0.0");
  expect(changes).toBe(2);
});

test("the operator serves when the kinds are Established, and not before", async () => {
  const cluster = startCluster(workspace);
  cluster.objects.establishes = false;
  const operator = startOperator(workspace, cluster);
  await waitFor("all CRDs", () => versionOf(cluster.objects, "podinfo.cilium.io") !== undefined, 60_000);
  const asked = cluster.api.requests.length;
  await waitFor("it asks again", () => cluster.api.requests.length > asked + 3, 60_000);
  expect(operator.process.stderr()).not.toContain("installed and served");
  expect(await operator.ready()).toEqual([503, "the CRDs are being installed"]);
  cluster.objects.establish();
  await operator.isServing();
  await waitFor("it is ready", async () => (await operator.ready())[0] === 200, 60_000);
  expect(await operator.metrics()).toMatch(/^tetragon_operator_serving 1$/m);
  expect(await operator.stop()).toMatchObject({ exitCode: 0 });
});

test("names that another CRD has are an error with the reason", async () => {
  const cluster = startCluster(workspace);
  cluster.objects.refusesNames = true;
  const { exitCode, stderr } = await install(cluster);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`CRD ${POLICIES}: its names are not accepted: ListKindConflict taken\n`);
});

test("a missing right is one line, and the operator goes on when it has it", async () => {
  const cluster = startCluster(workspace);
  forbid(cluster.api, /customresourcedefinitions/, ["POST"]);
  const operator = startOperator(workspace, cluster);
  const [, problem] = await waitFor(
    "it is not ready",
    async () => {
      const [status, text] = await operator.ready();
      return text.includes("403") && [status, text];
    },
    60_000,
  );
  expect(problem).toContain(`answered 403: forbidden: User "operator" cannot post ${CRDS}`);
  const asked = cluster.api.requests.length;
  await waitFor("it tries again", () => cluster.api.requests.length > asked + 20, 60_000);
  const lines = operator.process
    .stderr()
    .split("\n")
    .filter((line) => line.includes("403"));
  expect(lines.length).toBe(1);
  cluster.api.intercept = () => undefined;
  await operator.isServing();
  await operator.stop();
});

test("flags come from a directory of files, too, and a changed file is told", async () => {
  const cluster = startCluster(workspace);
  const directory = workspace.path("operator.conf.d");
  mkdirSync(directory);
  writeFileSync(join(directory, "skip-pod-info-crd"), "true");
  const operator = startOperator(workspace, cluster, "--config-dir", directory);
  await operator.isServing();
  expect(cluster.objects.writes.filter((write) => write.includes("podinfo"))).toEqual([]);
  writeFileSync(join(directory, "skip-pod-info-crd"), "false");
  await waitFor("the change", () => operator.process.stderr().includes("a flag has changed"), 60_000);
  expect((await operator.stop()).exitCode).toBe(0);
});

test("without a kubeconfig and outside of a cluster it says so", async () => {
  const { exitCode, stderr } = await runProcess([findOperator(), "serve"]);
  expect(exitCode).toBe(1);
  expect(stderr).toEndWith(
    "tetragon-operator: not running in a pod of a cluster (KUBERNETES_SERVICE_HOST is not set): set --kube-config\n",
  );
});

test.each([
  ["--leader-election-renew-deadline=15s", "--leader-election-lease-duration must be greater than"],
  ["--leader-election-retry-period=5s", "--leader-election-renew-deadline must be greater than"],
  ["--leader-election-retry-period=0s", "--leader-election-retry-period must be greater than 0s"],
])("%s is refused", async (given, message) => {
  const { exitCode, stderr } = await runProcess([findOperator(), "serve", given]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`tetragon-operator: ${message}`);
});
