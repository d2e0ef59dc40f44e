// SPDX-License-Identifier: Apache-2.0
// containerd without NRI: the hook is in the base spec of the runc runtime.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startContainerd } from "../harness/containerd.ts";
import { minimalEnv, runProcess } from "../harness/process.ts";
import { findHook } from "../harness/programs.ts";
import { testDecisions } from "./decision-suite.ts";

testDecisions({
  name: "base spec",
  source: "hook",
  hasLabels: false,
  denial: (logPath) => `Check logs (${logPath}) for additional info`,
  start: async (workspace, release, hookArgs) => {
    const baseSpecPath = workspace.path("base-spec.json");
    const { stdout } = await runProcess([join(release.binDir, "ctr"), "oci", "spec"]);
    const hook = findHook();
    const entry = {
      path: hook,
      args: [hook, "createRuntime", ...hookArgs],
      env: [`PATH=${minimalEnv["PATH"]}`],
    };
    writeFileSync(baseSpecPath, JSON.stringify({ ...JSON.parse(stdout), hooks: { createRuntime: [entry] } }));
    return startContainerd(workspace, release, { enableNri: false, baseSpecPath });
  },
});
