// SPDX-License-Identifier: Apache-2.0
// Objects of the largest sizes, as an author of pods can make them: each pod stays known, and none ends what others get.
import { afterAll, describe, expect, test } from "bun:test";
import { fetchPod, openApiClient } from "@rthooks/kube";
import { startAgent } from "../harness/agent.ts";
import { callPolicies } from "../harness/agent-client.ts";
import { type KubeApi, startKubeApi } from "../harness/kube-api.ts";
import { writeKubeconfig } from "../harness/kubeconfig.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { accessOf, connected, observe } from "./observer.ts";

const workspace = createWorkspace("large");
afterAll(() => workspace.close());

/** 1.47 MiB, near etcd's limit, and six times that on the wire. */
const env = { BIG: "<".repeat(1_540_000) };
const putLarge = (api: KubeApi, name: string, app = "web") =>
  api.put({
    ...{ uid: name, name, labels: { app }, env },
    containers: [{ id: `c-${name}`, name: "app", image: "docker.io/library/web:1" }],
  });

describe("a pod of 9 MB is known whole, and the pods behind it", () => {
  test("where it changes while it is watched", async () => {
    const api = startKubeApi(workspace);
    api.put({ uid: "u1", name: "web-1", labels: { app: "plain" } });
    const seen = observe(workspace, accessOf(api));
    await connected(seen);
    putLarge(api, "large");
    api.put({ uid: "u1", name: "web-1", labels: { app: "web" } });
    await waitFor("the pod behind it", () => seen.labels("u1")?.["app"] === "web");
    expect(seen.pods().get("large")).toMatchObject({
      ...{ namespace: "shop", name: "large", labels: new Map([["app", "web"]]) },
      containers: [{ id: "c-large", name: "app", image: "docker.io/library/web:1" }],
    });
    putLarge(api, "large", "db");
    await waitFor("its new labels", () => seen.labels("large")?.["app"] === "db");
    api.delete("large");
    await waitFor("its end", () => !seen.pods().has("large"));
    expect(api.requests.length).toBe(1);
    seen.watch.close();
  });

  test.each([false, true])("where it is listed (by pages: %p)", async (refuses) => {
    const api = startKubeApi(workspace);
    api.refusesInitialEvents = refuses;
    putLarge(api, "large");
    api.put({ uid: "u1", name: "web-1" });
    const seen = observe(workspace, accessOf(api));
    await connected(seen);
    expect([...seen.pods().keys()].toSorted()).toEqual(["large", "u1"]);
    expect(seen.labels("large")).toEqual({ app: "web" });
    seen.watch.close();
  });

  test.each([false, true])("where the names of its owners are as large (listed: %p)", async (isListed) => {
    const api = startKubeApi(workspace);
    api.refusesInitialEvents = isListed;
    const seen = isListed ? undefined : observe(workspace, accessOf(api));
    if (seen !== undefined) await connected(seen);
    const ownerReferences = [{ kind: env.BIG, name: env.BIG, controller: true }];
    api.put({ uid: "u1", name: "owned", labels: { app: "web" }, generateName: "o-", ownerReferences });
    const generateName = "web-";
    const behind = {
      generateName,
      ownerReferences: [{ kind: "StatefulSet", name: "web", controller: true }],
    };
    api.put({ uid: "u2", name: "web-2", ...behind });
    const watched = seen ?? observe(workspace, accessOf(api));
    await waitFor("the pod behind it", () => watched.pods().has("u2"));
    const workload = { name: "owned", kind: "Pod" };
    expect(watched.pods().get("u1")).toMatchObject({ labels: new Map([["app", "web"]]), workload });
    expect(watched.pods().get("u2")?.workload).toEqual({ name: "web", kind: "StatefulSet" });
    watched.watch.close();
  });

  test("where it is asked for by its name", async () => {
    const api = startKubeApi(workspace);
    putLarge(api, "large");
    const client = openApiClient(() => Promise.resolve({ ok: true, value: accessOf(api) }), "test/1");
    expect(await fetchPod(client, "shop", "large", 20_000)).toMatchObject({
      value: { uid: "large", labels: new Map([["app", "web"]]) },
    });
  });
});

test("nine such pods are one page", async () => {
  const api = startKubeApi(workspace);
  api.refusesInitialEvents = true;
  api.pageLimit = 500;
  for (let at = 0; at < 9; at++) putLarge(api, `large-${at}`);
  const seen = observe(workspace, accessOf(api));
  await waitFor("all of them", () => seen.pods().size === 9, 60_000);
  seen.watch.close();
}, 90_000);

test("a page of which too much is needed is asked for again in halves, until all of the list has come", async () => {
  const api = startKubeApi(workspace);
  api.refusesInitialEvents = true;
  api.pageLimit = 500;
  const labels = Object.fromEntries(
    Array.from({ length: 6_000 }, (_, at) => [`${at}`.padStart(60, "k"), `${at}`.padStart(63, "v")]),
  );
  for (let at = 0; at < 9; at++) api.put({ uid: `u${at}`, name: `web-${at}`, labels });
  const seen = observe(workspace, accessOf(api));
  await waitFor("all of them", () => seen.pods().size === 9);
  expect(seen.pods().get("u8")?.labels.size).toBe(6_000);
  const limits = api.requests.flatMap(({ searchParams }) => searchParams.get("limit") ?? []);
  expect(limits.slice(0, 3)).toEqual(["500", "250", "125"]);
  seen.watch.close();
});

test("an object of which even that is too large is skipped, and the list goes on behind it", async () => {
  const api = startKubeApi(workspace);
  api.refusesInitialEvents = true;
  const labels = { app: "x".repeat(5_000_000) };
  api.put({ uid: "u1", name: "web-1" });
  api.put({ uid: "u2", name: "huge", labels });
  api.put({ uid: "u3", name: "web-3" });
  const seen = observe(workspace, accessOf(api));
  await connected(seen);
  expect([...seen.pods().keys()]).toEqual(["u1", "u3"]);
  api.put({ uid: "u4", name: "huge-too", labels });
  api.put({ uid: "u5", name: "web-5" });
  await waitFor("what is behind it on the watch", () => seen.pods().has("u5"));
  expect(seen.pods().has("u4")).toBe(false);
  const skipped = seen.lines.filter((line) => line.includes("API object is too large; ignoring it"));
  expect(skipped.join()).toContain('"huge"');
  expect(skipped.join()).toContain('"huge-too"');
  seen.watch.close();
});

test("a policy that is too large is listed with the reason, named in the log and counted; others come in force", async () => {
  const api = startKubeApi(workspace);
  const metrics = workspace.path("metrics.sock");
  const policy = (name: string, more: object) => ({
    ...{ apiVersion: "cilium.io/v1alpha1", kind: "TracingPolicy", metadata: { name, ...more } },
    spec: { podSelector: { matchLabels: { app: "web" } } },
  });
  api.putObject("tracingpolicies", "t1", policy("first", {}));
  const agent = await startAgent(workspace, {
    flags: [
      ...["--enable-k8s-api", "--k8s-kubeconfig-path", writeKubeconfig(workspace, api)],
      ...["--node-name", "node-1", "--enable-tracing-policy-crd", "--metrics-server", `unix://${metrics}`],
      ...["--tracing-policy-dir", workspace.path("none")],
    ],
  });
  const find = async (name: string) =>
    (await callPolicies(agent.address).list("k8s")).policies.find((one) => one.name === name);
  await waitFor("the first", () => find("first"));
  // As custom resources are sent: annotations come before the name.
  const annotations = { note: "<".repeat(1_540_000) };
  const large = { ...policy("large", {}), metadata: { annotations, name: "large" } };
  api.putObject("tracingpolicies", "t2", large);
  api.putObject("tracingpolicies", "t3", policy("last", {}));
  await waitFor("the last", () => find("last"));
  expect((await find("large"))?.error).toContain("too large");
  expect((await find("first"))?.error).toBe("");
  await waitFor("its name in the log", () =>
    /API object is too large[^\n]*"large"/.test(agent.process.stderr()),
  );
  const text = await (await fetch("http://localhost/metrics", { unix: metrics })).text();
  expect(text).toContain('tetragon_k8s_large_objects_total{kind="tracingpolicies",outcome="skipped"} 1');
  await agent.stop();
}, 60_000);
