// SPDX-License-Identifier: Apache-2.0
// Podman's containers, by its OCI hooks directory: in their policies before their first instruction, each life of a
// container's name by itself.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AgentControl, createAgentControl } from "../harness/agent-control.ts";
import { dumpPolicyFilter, mountBpfFs } from "../harness/bpf-fs.ts";
import { firstActScript } from "../harness/bundle.ts";
import { readCgroupId } from "../harness/cgroup.ts";
import { hasWritten, waitForFirstAct } from "../harness/first-act.ts";
import { createGate } from "../harness/gate.ts";
import { createPodman, type Podman } from "../harness/podman.ts";
import { findHook } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("ppol");
const webPolicy = 2;
const uid = "9f3f6c1e-2f55-4b0f-8f9b-4a1d5e1f7c22";
let podman: Podman;
let control: AgentControl;
let maps: string;

beforeAll(async () => {
  podman = await createPodman(workspace);
  maps = join(mountBpfFs(workspace), "tetragon");
  const policy = {
    apiVersion: "cilium.io/v1alpha1",
    kind: "TracingPolicyNamespaced",
    metadata: { name: "web", namespace: "shop" },
    spec: {
      podSelector: { matchLabels: { app: "web" } },
      containerSelector: { matchExpressions: [{ key: "name", operator: "NotIn", values: ["sidecar"] }] },
    },
  };
  writeFileSync(workspace.path("web.json"), JSON.stringify(policy));
  const pod = { kind: "Pod", metadata: { name: "web-0", namespace: "shop", uid, labels: { app: "web" } } };
  writeFileSync(workspace.path("pods.json"), JSON.stringify({ kind: "List", items: [pod] }));
  control = createAgentControl(workspace, [
    ...["--pods-file", workspace.path("pods.json"), "--sweep-interval", "100ms"],
    ...["--enable-policy-filter", "--bpf-dir", maps],
    ...["--tracing-policy", workspace.path("web.json"), "--tracing-policy-dir", workspace.path("none")],
  ]);
  await control.start();
}, 120_000);
afterAll(() => workspace.close(), 60_000);

const members = () => dumpPolicyFilter(maps).get(webPolicy) ?? new Set<bigint>();

let count = 0;

/** Lets it go once its policy has been looked at. */
async function runHeld(name: string, container: string) {
  const gate = await createGate(workspace, control.socketPath);
  const outDir = workspace.path(`out-${++count}`);
  mkdirSync(outDir);
  const flags = ["--grpc-address", gate.address, "--log-fname", workspace.path(`${count}.log`)];
  podman.setHook(findHook(), ["createRuntime", ...flags]);
  const annotations = {
    "io.kubernetes.pod.uid": uid,
    "io.kubernetes.pod.namespace": "shop",
    "io.kubernetes.pod.name": "web-0",
    "io.kubernetes.container.name": container,
  };
  const script = `${firstActScript}; while [ ! -e /out/end ]; do sleep 0.02; done`;
  const running = podman.start({ name, outDir, annotations, script });
  await waitFor("the answer waits at the gate", () => gate.heldBytes() > 0);
  expect(hasWritten(outDir)).toBe(false);
  const before = members();
  gate.open();
  const cgroupId = readCgroupId((await waitForFirstAct(running, outDir)).cgroupPath);
  const end = async () => {
    writeFileSync(join(outDir, "end"), "");
    await running.exited;
    await waitFor(
      "its cgroup is out of the maps",
      () => dumpPolicyFilter(maps).get(1)?.has(cgroupId) === false,
    );
  };
  return { cgroupId, before, end };
}

test("a container is in the policies that are about it, and in no others, before it starts", async () => {
  const app = await runHeld("app", "app");
  const sidecar = await runHeld("sidecar", "sidecar");
  expect([app.before.has(app.cgroupId), sidecar.before.has(sidecar.cgroupId)]).toEqual([true, false]);
  await app.end();
  expect(members().size).toBe(0);
  const again = await runHeld("app", "app");
  expect(again.cgroupId).not.toBe(app.cgroupId);
  expect(again.before).toEqual(new Set([again.cgroupId]));
  for (const one of [sidecar, again]) await one.end();
  expect(members().size).toBe(0);
}, 120_000);
