// SPDX-License-Identifier: Apache-2.0
// The page of the built agent in Chromium: a real container's start and a denied one, in the overview of the node, explained
// and drawn.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { startAgent } from "../harness/agent.ts";
import { openPage, startBrowser } from "../harness/browser.ts";
import { createBundle, firstActScript } from "../harness/bundle.ts";
import { waitForFirstAct } from "../harness/first-act.ts";
import { containerdAnnotations } from "../harness/hook.ts";
import { findInspectorAddress } from "../harness/inspector-address.ts";
import { findHook } from "../harness/programs.ts";
import { createRunc } from "../harness/runc.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("explain-real");
let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser(workspace);
}, 120_000);
afterAll(() => workspace.close(), 60_000);

const pod = { uid: "6ce5fb4c-1e9b-4c4b-8a0a-3f2f1e0d7b24", namespace: "shop", name: "web-0" };
const policy = (name: string, app: string): string => `apiVersion: cilium.io/v1alpha1
kind: TracingPolicyNamespaced
metadata: { name: ${name}, namespace: shop }
spec:
  podSelector: { matchLabels: { app: ${app} } }
  kprobes: [{ call: security_file_open, syscall: false, args: [] }]
`;

/** A container of the pod, whose hook calls the agent at the address. */
function createHookedBundle(name: string, address: string, logPath: string, cgroupParent: string) {
  const id = `${name}-${workspace.tag}`;
  const args = ["tetragon-oci-hook", "createRuntime", "--grpc-address", address, "--grpc-timeout", "2s"];
  return createBundle(workspace, {
    id,
    cgroupsPath: `${cgroupParent}/pod${pod.uid}/${id}`,
    annotations: containerdAnnotations({ ...pod, container: name }),
    script: `${firstActScript}; while [ ! -e /out/end ]; do sleep 0.02; done`,
    hooks: {
      createRuntime: [
        { path: findHook(), args: [...args, "--log-fname", logPath, "--log-level", "debug"], env: [] },
      ],
    },
  });
}

test("a start and a denial", async () => {
  const policies = workspace.path("policies");
  mkdirSync(policies);
  writeFileSync(join(policies, "web.yaml"), policy("for-web", "web"));
  writeFileSync(join(policies, "db.yaml"), policy("for-db", "db"));
  const podsFile = workspace.path("pods.json");
  const metadata = { uid: pod.uid, namespace: pod.namespace, name: pod.name, labels: { app: "web" } };
  writeFileSync(podsFile, JSON.stringify({ kind: "Pod", metadata }));
  mkdirSync(workspace.path("log"));
  const logPath = join(workspace.path("log"), "tetragon-oci-hook.log");
  const agent = await startAgent(workspace, {
    podsFile,
    flags: [...["--inspect-address", "127.0.0.1:0", "--hook-log", logPath, "--tracing-policy-dir", policies]],
  });
  const address = await findInspectorAddress(agent.process);
  const { page, problems } = await openPage(browser, `http://${address}`);
  const runc = createRunc(workspace);
  const started = createHookedBundle("web", agent.address, logPath, runc.cgroupParent);
  const running = runc.start(started);
  await waitForFirstAct(running, started.outDir);

  const panel = page.locator("#explain");
  await page.locator("[data-row]").filter({ hasText: "released" }).filter({ hasText: "web" }).first().click();
  await page.getByRole("tab", { name: "Explain" }).click();
  await panel.getByText("The container was started. The runtime was held by the OCI hook for").waitFor();
  await panel.locator(".policies > li").filter({ hasText: "selects itshop/for-web" }).waitFor();
  const unmet = panel.locator(".policies > li").filter({ hasText: "does notshop/for-db" });
  expect(await unmet.locator("code").allTextContents()).toEqual(["pod label app is db", "app=web"]);
  const identity = await panel.locator(".identity > div").allTextContents();
  expect(identity).toContainEqual(expect.stringMatching(/^podweb-0.+ at \d\d:\d\d:\d\d/));
  expect(identity).toContainEqual(expect.stringMatching(/^labelsapp=webpod source/));
  const phases = await panel.locator(".phases > li").allTextContents();
  for (const part of ["hookread the spec", "agentfind the cgroup", "kernel mapwrite the filter maps"])
    expect(phases).toContainEqual(expect.stringMatching(new RegExp(`^${part}.+ ms$`)));
  await page.getByRole("tab", { name: "Start" }).click();
  await page.locator("#sequence .sequence-text").filter({ hasText: "release the container" }).waitFor();
  expect(await page.locator("#sequence .participant text").allTextContents()).toEqual(
    expect.arrayContaining(["runtime", "hook", "agent", "kernel map"]),
  );

  const denied = createHookedBundle(
    "db",
    `unix://${workspace.path("absent.sock")}`,
    logPath,
    runc.cgroupParent,
  );
  expect((await runc.start(denied).exited).exitCode).not.toBe(0);
  await page.getByRole("button", { name: "Denied, last hour 1" }).click();
  const detail = page.locator("#node-detail");
  await detail.getByText("denied by the OCI hook").waitFor();
  await detail.getByRole("button", { name: "shop/web-0/db" }).click();
  await page.locator("#sequence .sequence-text").filter({ hasText: "deny the start" }).waitFor();
  await page.getByRole("tab", { name: "Explain" }).click();
  await panel.getByText("The start was denied.").waitFor();
  await panel.getByText("What to do:").waitFor();

  writeFileSync(join(started.outDir, "end"), "");
  expect((await running.exited).exitCode).toBe(0);
  await page.getByRole("button", { name: "Containers 0" }).waitFor();
  expect(problems).toEqual([]);
  await page.close();
  await agent.stop();
}, 120_000);
