// SPDX-License-Identifier: Apache-2.0
// The built plugin, with the runtime that the tests play.
import { type NriListener, openNriListener } from "../harness/nri-listener.ts";
import type { NriRuntimeOptions } from "../harness/nri-runtime.ts";
import { type RunningProcess, startProcess } from "../harness/process.ts";
import { findHook, findNriPlugin } from "../harness/programs.ts";
import type { Workspace } from "../harness/workspace.ts";

export const pod = {
  id: "sandbox-1",
  uid: "9f6b-1",
  name: "web-0",
  namespace: "shop",
  labels: { app: "web" },
  annotations: {},
};
export const container = {
  id: "c".repeat(64),
  podSandboxId: "sandbox-1",
  name: "app",
  state: 1,
  annotations: {
    "io.kubernetes.cri.container-type": "container",
    "io.kubernetes.cri.sandbox-id": "sandbox-1",
  },
  linux: { cgroupsPath: "/pods/c" },
};

export function startBuiltPlugins(workspace: Workspace) {
  let sockets = 0;
  const newSocketPath = (): string => workspace.path(`n${sockets++}.sock`);

  const startPlugin = (
    socketPath: string,
    mode: string,
    hookArgs: readonly string[] = [],
    flags: readonly string[] = [],
  ): RunningProcess =>
    startProcess(
      [
        findNriPlugin(),
        "--nri-socket",
        socketPath,
        "--mode",
        mode,
        "--oci-hook-path",
        findHook(),
        ...flags,
        "hook-args",
        ...hookArgs,
      ],
      {},
      workspace,
    );

  async function withPlugin(
    options: NriRuntimeOptions,
    mode: string,
    hookArgs: readonly string[],
    use: (runtime: NriListener, plugin: RunningProcess, socketPath: string) => Promise<void>,
    flags: readonly string[] = [],
  ): Promise<void> {
    const socketPath = newSocketPath();
    const runtime = await openNriListener(socketPath, options);
    const plugin = startPlugin(socketPath, mode, hookArgs, flags);
    try {
      await use(runtime, plugin, socketPath);
    } catch (error) {
      throw new Error(`the plugin wrote: ${plugin.stderr().slice(-2000)}`, { cause: error });
    } finally {
      plugin.signal("SIGKILL");
      await plugin.exited;
      await runtime.close();
    }
  }

  return { newSocketPath, startPlugin, withPlugin };
}
