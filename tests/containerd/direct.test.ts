// SPDX-License-Identifier: Apache-2.0
// The plugin asks the agent itself at StartContainer; no process is started for a container.
import { startContainerd } from "../harness/containerd.ts";
import { startNriPlugin } from "../harness/nri-plugin.ts";
import { testDecisions } from "./decision-suite.ts";

testDecisions({
  name: "direct",
  source: "nri",
  hasLabels: true,
  denial: (logPath) => `Check logs (${logPath}) for additional info`,
  start: async (workspace, release, hookArgs) => {
    const containerd = await startContainerd(workspace, release);
    await startNriPlugin(workspace, containerd, { mode: "direct", hookArgs });
    return containerd;
  },
});
