// SPDX-License-Identifier: Apache-2.0
// What the built programs serve at /metrics, judged by promtool, after real calls.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Agent, startAgent } from "../harness/agent.ts";
import { callPolicies, callRuntimeHook } from "../harness/agent-client.ts";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { findCgroupDirectory, removeCgroup } from "../harness/cgroup.ts";
import { type KubeApi, startKubeApi } from "../harness/kube-api.ts";
import { writeKubeconfig } from "../harness/kubeconfig.ts";
import { listSeries, readValue, runPromtool, scrape } from "../harness/promtool.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { container, pod, startBuiltPlugins } from "../nri/built-plugin.ts";

const workspace = createWorkspace("metrics");
const parent = `/rth-${workspace.tag}`;
const socket = workspace.path("metrics.sock");
let api: KubeApi;
let agent: Agent;

beforeAll(async () => {
  api = startKubeApi(workspace);
  mkdirSync(findCgroupDirectory(parent));
  workspace.onClose(() => removeCgroup(parent));
  agent = await startAgent(workspace, {
    flags: [
      ...["--metrics-server", `unix://${socket}`, "--tracing-policy-dir", workspace.path("none")],
      ...["--enable-k8s-api", "--k8s-kubeconfig-path", writeKubeconfig(workspace, api)],
      ...["--node-name", "node-1", "--pod-wait", "5s", "--enable-tracing-policy-crd"],
      ...["--enable-policy-filter", "--bpf-dir", `${mountBpfFs(workspace)}/tetragon`],
      ...["--enable-policy-filter-cgroup-map"],
    ],
  });
}, 60_000);
afterAll(() => workspace.close(), 60_000);

const uidOf = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;

/** A hook call for a container with a cgroup of its own. */
function call(number: number, name: string, namespace: string) {
  const cgroupsPath = `${parent}/pod${uidOf(number)}/c${number}`;
  mkdirSync(findCgroupDirectory(cgroupsPath), { recursive: true });
  return callRuntimeHook(agent.address, {
    ...{ cgroupsPath, podUID: uidOf(number), podName: name, podNamespace: namespace },
    ...{ containerName: `container-${number}`, containerImage: `image-${number}:1` },
  });
}

async function expectNoFindings(text: string): Promise<void> {
  const { exitCode, stdout, stderr } = await runPromtool(["check", "metrics"], { stdin: text });
  expect({ exitCode, findings: `${stdout}${stderr}` }).toEqual({ exitCode: 0, findings: "" });
}

test("a call that waits for its pod counts where the identity came from in the end", async () => {
  const waiting = call(1, "late", "shop");
  await waitFor(
    "the call waits",
    async () => readValue(await scrape(socket), "tetragon_rthooks_waiting_starts") === 1,
  );
  api.put({ uid: uidOf(1), name: "late" });
  await waiting;
  const text = await scrape(socket);
  expect(readValue(text, 'tetragon_rthooks_identity_wait_seconds_count{source="pod-source"}')).toBe(1);
  expect(readValue(text, 'tetragon_rthooks_held_seconds_count{source="hook"}')).toBe(1);
  expect(readValue(text, "tetragon_rthooks_waiting_starts")).toBe(0);
}, 60_000);

test("a refused call counts with its kind", async () => {
  await expect(callRuntimeHook(agent.address, { cgroupsPath: `${parent}/none` })).rejects.toThrow();
  const refused = 'tetragon_rthooks_requests_total{source="hook",outcome="refused",error="cgroup-missing"}';
  expect(readValue(await scrape(socket), refused)).toBe(1);
}, 60_000);

test("each watch has its silence, which events end, and its lists", async () => {
  const silence = 'tetragon_k8s_watch_silence_seconds{watch="pods"}';
  await waitFor("a second of silence", async () => (readValue(await scrape(socket), silence) ?? 0) > 1);
  api.put({ uid: uidOf(2), name: "news" });
  await waitFor("the event", async () => (readValue(await scrape(socket), silence) ?? 9) < 1);
  const lists = 'tetragon_k8s_watch_lists_total{watch="pods"}';
  const before = readValue(await scrape(socket), lists) ?? 0;
  expect(before).toBeGreaterThan(0);
  api.forgetHistory();
  api.cut();
  await waitFor("another list", async () => (readValue(await scrape(socket), lists) ?? 0) > before, 60_000);
}, 90_000);

test("neither pods nor their names, namespaces, images and numbers add series", async () => {
  await callPolicies(agent.address).add(
    "apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\nmetadata: { name: all }\nspec: { podSelector: {} }\n",
  );
  const round = async (from: number, count: number): Promise<void> => {
    for (let number = from; number < from + count; number++) {
      const name = `pod"\\\n-${number}`;
      api.put({
        uid: uidOf(number),
        name,
        namespace: `namespace-${number}`,
        labels: { app: `app-${number}` },
      });
      await call(number, name, `namespace-${number}`);
      await callRuntimeHook(agent.address, { cgroupsPath: `${parent}/none-${number}` }).catch(
        () => undefined,
      );
    }
  };
  await round(100, 1);
  const before = await scrape(socket);
  await round(200, 150);
  const after = await scrape(socket);
  expect(listSeries(after)).toEqual(listSeries(before));
  expect(readValue(after, 'tetragon_rthooks_requests_total{source="hook",outcome="ok",error=""}')).toBe(152);
}, 120_000);

test("maps have entries and a capacity, also the map of cgroups", async () => {
  const maps = {
    policy_filter_maps: [2, 128],
    policy_map: [152, 32_768],
    policy_filter_cgroup_maps: [152, 1024],
  };
  for (const [map, [entries, capacity]] of Object.entries(maps)) {
    await waitFor(`the entries of ${map}`, async () => {
      const text = await scrape(socket);
      return (
        readValue(text, `tetragon_map_entries{map="${map}"}`) === entries &&
        readValue(text, `tetragon_map_capacity{map="${map}"}`) === capacity
      );
    });
  }
}, 60_000);

test("maps of rules have entries, a capacity and their memory", async () => {
  const text = await scrape(socket);
  expect(readValue(text, 'tetragon_map_entries{map="container_rules"}')).toBeGreaterThan(0);
  for (const map of ["text_filters", "text_endings", "number_filters", "address_filters"]) {
    expect(readValue(text, `tetragon_map_entries{map="${map}"}`)).toBe(0);
    expect(readValue(text, `tetragon_map_capacity{map="${map}"}`)).toBe(16_384);
  }
  expect(readValue(text, 'tetragon_map_memory_bytes{map="container_rules"}')).toBeGreaterThan(0);
}, 60_000);

test("promtool finds nothing wrong with the agent's metrics", async () => {
  const text = await scrape(socket);
  expect(listSeries(text).length).toBeGreaterThan(100);
  await expectNoFindings(text);
}, 60_000);

test("promtool finds nothing wrong with the name, kind and text of any metric", async () => {
  const page = await Bun.file(join(import.meta.dir, "../../docs/reference/metrics.md")).text();
  const metrics = [...page.matchAll(/^\| `(\w+)` \| (\w+) \| .*? \| (.*) \|$/gm)];
  expect(metrics.length).toBeGreaterThan(45);
  // promtool judges only metrics that have a sample, and a program that has just started lacks many.
  const text = metrics.map(([, name = "", kind = "", help = ""]) => {
    const samples =
      kind === "histogram" ? `${name}_bucket{le="+Inf"} 1\n${name}_sum 1\n${name}_count 1\n` : `${name} 1\n`;
    return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${samples}`;
  });
  await expectNoFindings(text.join(""));
}, 60_000);

describe("the plugin's metrics", () => {
  const { withPlugin } = startBuiltPlugins(workspace);
  const own = workspace.path("plugin.sock");
  const flags = ["--metrics-address", `unix://${own}`];
  const nowhere = ["--grpc-address", `unix://${workspace.path("nowhere.sock")}`, "--grpc-timeout", "100ms"];

  test("count a denied start, and a start that the fail check allows", async () => {
    const hookArgs = [...nowhere, "--fail-allow-namespaces", "allowed"];
    await withPlugin(
      { version: "0.8" },
      "direct",
      hookArgs,
      async (runtime) => {
        const side = await runtime.nextPlugin();
        await side.sendEvent("StartContainer", pod, container);
        await side.sendEvent(
          "StartContainer",
          { ...pod, namespace: "allowed" },
          { ...container, id: "d".repeat(64) },
        );
        const text = await scrape(own);
        expect(readValue(text, 'tetragon_nri_hook_denied_total{reason="deadline"}')).toBe(1);
        expect(readValue(text, 'tetragon_nri_hook_held_seconds_count{outcome="denied"}')).toBe(1);
        expect(readValue(text, 'tetragon_nri_hook_held_seconds_count{outcome="unheld"}')).toBe(1);
        expect(text).toMatch(/^tetragon_nri_hook_unheld_total\{reason="(unreachable|deadline)"\} 1$/m);
        expect(readValue(text, 'tetragon_nri_hook_session_state{state="serving"}')).toBe(1);
        await expectNoFindings(text);
      },
      flags,
    );
  }, 60_000);

  test("count attempts to connect again, and have the session's state", async () => {
    await withPlugin(
      { version: "0.8" },
      "direct",
      nowhere,
      async (runtime) => {
        await runtime.nextPlugin();
        await runtime.close();
        await waitFor("it tries again", async () => {
          const text = await scrape(own);
          return (
            (readValue(text, "tetragon_nri_hook_reconnects_total") ?? 0) > 1 &&
            readValue(text, 'tetragon_nri_hook_session_state{state="serving"}') === 0
          );
        });
      },
      flags,
    );
  }, 60_000);
});
