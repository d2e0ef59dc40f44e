// SPDX-License-Identifier: Apache-2.0
// containerd without NRI: the hook is in the base spec of the runc runtime.
import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ContainerdOptions, startContainerd } from "../harness/containerd.ts";
import { runPod } from "../harness/containerd-pod.ts";
import { containerdReleases } from "../harness/containerd-release.ts";
import { type JsonRecord, parseRecord } from "../harness/records.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { testDecisions } from "./decision-suite.ts";
import { prepareBaseSpec } from "./prepare-base-spec.ts";

testDecisions({
  name: "base spec",
  source: "hook",
  hasLabels: false,
  denial: (logPath) => `Check logs (${logPath}) for additional info`,
  start: (workspace, release, hookArgs) =>
    startContainerd(workspace, release, {
      enableNri: false,
      prepare: (configPath) => prepareBaseSpec(release, configPath, hookArgs),
    }),
});

describe.each(containerdReleases.map((release) => ({ ...release })))("containerd $version", (release) => {
  const workspace = createWorkspace("ctd");
  afterAll(() => workspace.close(), 60_000);

  /** The OCI spec that runc got for a container, with what is another one's in each container taken out. */
  async function readSpec(options: ContainerdOptions): Promise<JsonRecord> {
    const containerd = await startContainerd(workspace, release, { enableNri: false, ...options });
    const pod = await runPod(containerd, { name: "web-0", namespace: "ops" });
    const { id } = await pod.runContainer();
    const tasks = join(containerd.dir, "state", "io.containerd.runtime.v2.task", "k8s.io");
    const text = readFileSync(join(tasks, id, "config.json"), "utf8");
    const own = [id, pod.sandboxId, pod.uid, containerd.cgroupParent, containerd.dir];
    const spec = own.reduce((all, word) => all.replaceAll(word, "own"), text);
    await pod.remove();
    return parseRecord(spec.replaceAll(/\/proc\/\d+\/ns/g, "/proc/own/ns"));
  }

  test("with the base spec a container's spec differs in its hooks and in nothing else", async () => {
    const without = await readSpec({});
    const { hooks, ...rest } = await readSpec({
      prepare: (configPath) =>
        prepareBaseSpec(release, configPath, [
          // Nobody answers here: what the hook does is not what this is about.
          ...["--fail-allow-namespaces", "ops", "--grpc-timeout-allowed", "1ms"],
          ...["--log-fname", workspace.path("hook.log")],
        ]),
    });
    expect(hooks).toMatchObject({ createRuntime: [{ args: expect.arrayContaining(["createRuntime"]) }] });
    expect(rest).toEqual(without);
  }, 60_000);
});
