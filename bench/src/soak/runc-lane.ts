// SPDX-License-Identifier: Apache-2.0
import { rmSync } from "node:fs";
import { createBundle } from "../../../tests/harness/bundle.ts";
import { removeCgroup } from "../../../tests/harness/cgroup.ts";
import { containerdAnnotations } from "../../../tests/harness/hook.ts";
import { minimalEnv } from "../../../tests/harness/process.ts";
import { findHook, findTool } from "../../../tests/harness/programs.ts";
import type { Workspace } from "../../../tests/harness/workspace.ts";
import { podLabels, startSoakAgent } from "./soak-agent.ts";
import { forEachOf, type SoakLane } from "./soak-lane.ts";

const containersPerPod = 10;
const atOnce = 4;

async function run(argv: readonly string[], logPath: string): Promise<void> {
  // A detached container keeps its runtime's stdout and stderr open.
  const child = Bun.spawn([...argv], { cwd: "/", env: minimalEnv, stdio: ["ignore", "ignore", "ignore"] });
  if ((await child.exited) !== 0) throw new Error(`${argv.join(" ")}: ${await Bun.file(logPath).text()}`);
}

/** Containers of runc, each held by a hook of its own. */
export async function openRuncLane(workspace: Workspace): Promise<SoakLane> {
  const { agent, bpfDir } = await startSoakAgent(workspace);
  const log = workspace.path("runc.log");
  const runc = [findTool("runc"), "--root", workspace.path("runc"), "--log", log];
  const parent = `/rthooks-soak-${workspace.tag}`;
  const running = new Set<string>();

  let made = 0;
  let pod = { uid: "", name: "", namespace: "shop", labels: podLabels };
  const startOne = async () => {
    if (made % containersPerPod === 0) pod = { ...pod, uid: crypto.randomUUID(), name: `web-${made}` };
    const id = `c${++made}-${workspace.tag}`;
    const { dir } = createBundle(workspace, {
      id,
      script: "exec sleep 2147483647",
      cgroupsPath: `${parent}/pod${pod.uid}/${id}`,
      annotations: containerdAnnotations(pod),
      hooks: {
        createRuntime: [
          {
            path: findHook(),
            args: [
              ...["tetragon-oci-hook", "createRuntime", "--grpc-address", agent.address],
              ...["--log-fname", workspace.path("hook.log")],
            ],
            env: [`RTHOOKS_POD=${JSON.stringify(pod)}`],
          },
        ],
      },
    });
    running.add(id);
    await run([...runc, "run", "--detach", "--bundle", dir, id], log);
  };
  const remove = async () => {
    await forEachOf([...running], atOnce, async (id) => {
      await run([...runc, "delete", "--force", id], log);
      running.delete(id);
      rmSync(workspace.path(id), { recursive: true });
    });
    removeCgroup(parent);
  };
  workspace.onClose(remove);
  return {
    name: "runc, hook",
    pids: { agent: agent.process.pid },
    bpfDir,
    start: (count) => forEachOf([...Array(count).keys()], atOnce, startOne),
    remove,
    countKnown: async () => (await agent.containers()).length,
  };
}
