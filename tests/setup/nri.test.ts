// SPDX-License-Identifier: Apache-2.0
// The set-up tool as the daemon set runs it on containerd: it installs the hook, adds it to containers, and uninstalls at
// exit.
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { createAgentControl } from "../harness/agent-control.ts";
import { type Containerd, startContainerd } from "../harness/containerd.ts";
import { runPod } from "../harness/containerd-pod.ts";
import { containerdReleases } from "../harness/containerd-release.ts";
import { findFirstAct } from "../harness/first-act.ts";
import { countSessions } from "../harness/nri-plugin.ts";
import { type RunningProcess, startProcess } from "../harness/process.ts";
import { findHook, findSetup } from "../harness/programs.ts";
import { readLog } from "../harness/records.ts";
import { waitFor } from "../harness/wait.ts";
import { createWorkspace, type Workspace } from "../harness/workspace.ts";

async function startSetup(
  workspace: Workspace,
  containerd: Containerd,
  flags: readonly string[],
  hookArgs: readonly string[],
): Promise<RunningProcess> {
  const before = countSessions(containerd);
  const setup = startProcess(
    [
      ...[findSetup(), "install", "--interface", "nri-hook", "--daemonize"],
      ...["--nri-hook.socket", containerd.nriSocketPath, "--local-binary", findHook(), ...flags],
      ...["hook-args", ...hookArgs],
    ],
    {},
    workspace,
  );
  await waitFor("the set-up tool serves", () => {
    if (setup.hasExited()) throw new Error(`the set-up tool ended: ${setup.stderr()}`);
    return countSessions(containerd) > before;
  });
  return setup;
}

const cases = containerdReleases.flatMap((release) =>
  (["inject", "direct"] as const).flatMap((mode) => {
    // The C library is of no account where no hook is started.
    const libcs = mode === "inject" ? ["host", "bundled"] : ["host"];
    return libcs.map((libc) => ({ version: release.version, release, mode, libc }));
  }),
);

describe.each(cases)(
  "containerd $version, --nri-hook.mode $mode, --libc $libc",
  ({ release, mode, libc }) => {
    const workspace = createWorkspace("snri");
    afterAll(() => workspace.close(), 60_000);

    test("the agent knows containers before they start until the tool exits, which removes its files", async () => {
      const control = createAgentControl(workspace);
      const agent = await control.start();
      const containerd = await startContainerd(workspace, release);
      const installDir = workspace.path("opt");
      const setup = await startSetup(
        workspace,
        containerd,
        ["--host-install-dir", installDir, "--nri-hook.mode", mode, "--libc", libc],
        ["--grpc-address", `unix://${control.socketPath}`, "--grpc-timeout", "1s"],
      );
      const names = readdirSync(installDir).map((name) => name.replace(/[0-9a-f]{12}/, "…"));
      expect(names.filter((name) => !name.endsWith(".log") && !name.startsWith(".")).toSorted()).toEqual(
        libc === "bundled" ? ["ld-linux-….so", "lib-…", "tetragon-oci-hook"] : ["tetragon-oci-hook"],
      );

      const pod = await runPod(containerd, { labels: { app: "web" } });
      const container = await pod.runContainer({ name: "app" });
      const first = await waitFor("the container's first act", () => findFirstAct(container.outDir));
      const record = (await agent.containers()).find(({ id }) => id === container.id);
      expect(record).toMatchObject({ podUid: pod.uid, name: "app", state: "released" });
      expect(record?.podLabels.get("app")).toBe("web");
      expect((record?.learnedUnixNanos ?? 0n) / 1_000n).toBeLessThan(first.unixMicros);
      const logPath = workspace.path("opt", "tetragon-oci-hook.log");
      await waitFor("the hook's log", () => existsSync(logPath) && readLog(logPath).length > 0);
      expect(readLog(logPath).map(({ msg }) => msg)).toEqual(["hook request to agent succeeded"]);

      await control.end();
      const denied = await pod.createContainer();
      const failure: unknown = await containerd.cri.startContainer(denied.id).catch((error) => error);
      expect(String(failure)).toContain(mode === "inject" ? "Check logs" : "failing container");

      setup.signal("SIGTERM");
      const done = await setup.exited;
      expect({
        exitCode: done.exitCode,
        left: existsSync(installDir) ? readdirSync(installDir) : [],
      }).toEqual({
        exitCode: 0,
        left: ["tetragon-oci-hook.log"],
      });
      // Nobody holds what starts from now on, and nothing that was installed is missed.
      const after = await pod.runContainer();
      await waitFor("the container's first act", () => findFirstAct(after.outDir));
      await pod.remove();
    }, 120_000);
  },
);
