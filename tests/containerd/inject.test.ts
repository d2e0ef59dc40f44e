// SPDX-License-Identifier: Apache-2.0
// The plugin adds the hook to each container, and with it what only NRI knows of the pod.
import { startContainerd } from "../harness/containerd.ts";
import { startNriPlugin } from "../harness/nri-plugin.ts";
import { testDecisions } from "./decision-suite.ts";

testDecisions({
  name: "inject",
  source: "hook",
  hasLabels: true,
  denial: (logPath) => `Check logs (${logPath}) for additional info`,
  start: async (workspace, release, hookArgs) => {
    const containerd = await startContainerd(workspace, release);
    await startNriPlugin(workspace, containerd, { mode: "inject", hookArgs });
    return containerd;
  },
});
