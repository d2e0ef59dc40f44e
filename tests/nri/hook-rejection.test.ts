// SPDX-License-Identifier: Apache-2.0
// The built plugin in inject mode, where the configuration of containerd says that it makes no container with a hook.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { createRootFs } from "../harness/bundle.ts";
import { startRecordingAgent } from "../harness/fake-agents.ts";
import { openNriListener } from "../harness/nri-listener.ts";
import { type RunningProcess, startProcess } from "../harness/process.ts";
import { findSetup } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { fakeVersion, writeFakeHook } from "../setup/installation.ts";
import { container, pod, startBuiltPlugins } from "./built-plugin.ts";

const workspace = createWorkspace("nrij");
afterAll(workspace.close);
const { newSocketPath, withPlugin } = startBuiltPlugins(workspace);

/** The lines of its log up to its service, which comes after what the configuration has come to. */
const readStartLog = async (plugin: RunningProcess): Promise<readonly string[]> => {
  await waitFor("the plugin's service", () => plugin.stderr().includes("msg=serving"));
  return plugin.stderr().split("\n");
};

const REFUSES = "rejects every container to which a plugin adds a hook";

/** As an operator has it: the main file imports the one with the validator. The path begins at the workspace. */
function writeConfig(path: string, validator: string): { readonly main: string; readonly dropIn: string } {
  const directory = workspace.path(path);
  mkdirSync(`${directory}/conf.d`, { recursive: true });
  const [main, dropIn] = [`${directory}/config.toml`, `${directory}/conf.d/nri.toml`];
  writeFileSync(main, `version = 3\nimports = ["conf.d/*.toml"]\n`);
  writeFileSync(
    dropIn,
    `version = 3\n[plugins.'io.containerd.nri.v1.nri'.default_validator]\nenable = true\n${validator}\n`,
  );
  return { main, dropIn };
}

const rejecting = writeConfig("rejecting", "reject_oci_hook_adjustment = true");
const accepting = writeConfig("accepting", "reject_oci_hook_adjustment = false");
const containerd22 = { version: "0.11", runtimeVersion: "2.2.1" } as const; // const: a version

test("the first container has no hook, and is held at StartContainer", async () => {
  const agent = await startRecordingAgent(workspace);
  const hookArgs = ["--grpc-address", `unix://${agent.socketPath}`];
  await withPlugin(
    containerd22,
    "inject",
    hookArgs,
    async (runtime, plugin) => {
      const runtimeSide = await runtime.nextPlugin();
      const created = await runtimeSide.sendEvent("CreateContainer", pod, container);
      expect(created).toMatchObject({ outcome: "not-subscribed", adjust: undefined });
      expect((await runtimeSide.sendEvent("StartContainer", pod, container)).outcome).toBe("answered");
      expect(JSON.stringify(agent.requests)).toContain(container.id);
      const lines = (await readStartLog(plugin)).filter((line) => line.includes("level=warn"));
      expect(lines).toEqual([expect.stringContaining(REFUSES)]);
      expect(lines[0]).toContain(`(reject_oci_hook_adjustment, ${rejecting.dropIn})`);
      expect(lines[0]).toContain("mode=direct");
    },
    ["--containerd-config", rejecting.main],
  );
});

test.each([
  { name: "does not reject hooks", runtime: containerd22, config: accepting.main },
  { name: "is not read", runtime: containerd22, config: workspace.path("none.toml") },
  {
    name: "is that of a containerd without the validator",
    runtime: { version: "0.8", runtimeVersion: "2.1.9" } as const, // const: a version
    config: rejecting.main,
  },
  {
    name: "is of no use to CRI-O",
    runtime: { ...containerd22, runtimeName: "cri-o" } as const, // const: a version
    config: rejecting.main,
  },
])("a configuration that $name: the hook is added", ({ runtime: options, config }) =>
  withPlugin(
    options,
    "inject",
    [],
    async (runtime, plugin) => {
      const runtimeSide = await runtime.nextPlugin();
      expect((await runtimeSide.sendEvent("CreateContainer", pod, container)).adjust).toBeDefined();
      expect((await readStartLog(plugin)).join("\n")).not.toContain(REFUSES);
    },
    ["--containerd-config", config],
  ),
);

test("a configuration that is not there is named in a debug line", () => {
  const missing = workspace.path("none.toml");
  return withPlugin(
    containerd22,
    "inject",
    [],
    async (runtime, plugin) => {
      await runtime.nextPlugin();
      const line = (await readStartLog(plugin)).find((one) => one.includes(missing));
      expect(line).toContain("level=debug");
    },
    ["--containerd-config", missing, "--log-level", "debug"],
  );
});

test("the set-up tool's plugin reads the configuration of the runtime below --host-root", async () => {
  const k3s = "/var/lib/rancher/k3s/agent/etc/containerd";
  writeConfig(`host${k3s}`, "reject_oci_hook_adjustment = true");
  const hostRoot = workspace.path("host");
  // The hook is a script here, and runs in that root.
  createRootFs(hostRoot);
  const socketPath = newSocketPath();
  const runtime = await openNriListener(socketPath, containerd22);
  const setup = startProcess(
    [
      ...[findSetup(), "install", "--interface", "nri-hook", "--daemonize", "--nri-hook.socket", socketPath],
      ...["--local-binary", writeFakeHook(workspace, fakeVersion("1.0.0")), "--host-root", hostRoot],
      ...["--host-install-dir", "/opt/tetragon", "--local-install-dir", `${hostRoot}/opt/tetragon`],
    ],
    {},
    workspace,
  );
  try {
    const runtimeSide = await runtime.nextPlugin();
    const created = await runtimeSide.sendEvent("CreateContainer", pod, container);
    expect(created).toMatchObject({ outcome: "not-subscribed", adjust: undefined });
    expect((await readStartLog(setup)).join("\n")).toContain(
      `(reject_oci_hook_adjustment, ${k3s}/conf.d/nri.toml)`,
    );
  } catch (error) {
    throw new Error(`the set-up tool wrote: ${setup.stderr().slice(-2000)}`, { cause: error });
  } finally {
    setup.signal("SIGTERM");
    await setup.exited;
    await runtime.close();
  }
});
