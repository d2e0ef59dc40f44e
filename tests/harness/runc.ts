// SPDX-License-Identifier: Apache-2.0
import type { Bundle } from "./bundle.ts";
import { removeCgroup } from "./cgroup.ts";
import { type Finished, type RunningProcess, runProcess, startProcess } from "./process.ts";
import { findTool } from "./programs.ts";
import type { Workspace } from "./workspace.ts";

export interface Runc {
  /** Parent of every container's cgroup here. */
  readonly cgroupParent: string;
  start(bundle: Bundle): RunningProcess;
  run(bundle: Bundle): Promise<Finished>;
  /** False as soon as runc no longer knows the container. */
  knows(id: string): Promise<boolean>;
}

/** A runc with a state directory of its own; containers and cgroups go when the workspace closes. */
export function createRunc(workspace: Workspace): Runc {
  const runc = [findTool("runc"), "--root", workspace.path("runc")];
  const cgroupParent = `/rthooks-test-${workspace.tag}`;
  const ids = new Set<string>();
  workspace.onClose(async () => {
    for (const id of ids) await runProcess([...runc, "delete", "--force", id]);
    removeCgroup(cgroupParent);
  });
  const start = (bundle: Bundle) => {
    ids.add(bundle.id);
    const running = startProcess(
      [...runc, "run", "--bundle", bundle.dir, bundle.id],
      { killAfterMs: 60_000 },
      workspace,
    );
    // One that ended by itself has deleted its container.
    void running.exited.then(({ signal }) => signal === null && ids.delete(bundle.id));
    return running;
  };
  return {
    cgroupParent,
    start,
    run: (bundle) => start(bundle).exited,
    knows: async (id) => (await runProcess([...runc, "state", id])).exitCode === 0,
  };
}
