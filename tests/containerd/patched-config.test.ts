// SPDX-License-Identifier: Apache-2.0
// What the tool makes of a containerd's configuration, judged by that containerd.
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Containerd, startContainerd } from "../harness/containerd.ts";
import { runPod } from "../harness/containerd-pod.ts";
import { containerdReleases } from "../harness/containerd-release.ts";
import { startNriPlugin } from "../harness/nri-plugin.ts";
import { runProcess } from "../harness/process.ts";
import { findSetup } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { prepareBaseSpec } from "./prepare-base-spec.ts";

async function patch(configPath: string, ...words: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await runProcess([
    ...[findSetup(), "patch-containerd-conf", ...words, "--config-file", configPath, "--in-place"],
  ]);
  if (exitCode !== 0) throw new Error(`${words.join(" ")}: ${stderr}`);
}

describe.each(containerdReleases.map((release) => ({ ...release })))("containerd $version", (release) => {
  const workspace = createWorkspace("ctp");
  afterAll(() => workspace.close(), 60_000);

  const start = (...words: readonly string[]): Promise<Containerd> =>
    startContainerd(workspace, release, {
      enableNri: false,
      prepare: (configPath) => patch(configPath, ...words),
    });

  test("after enable-nri the plugin can connect, and containers start", async () => {
    const containerd = await start("enable-nri");
    await startNriPlugin(workspace, containerd, {
      mode: "inject",
      hookArgs: ["--disable-grpc", "--log-fname", workspace.path("hook.log")],
    });
    const pod = await runPod(containerd);
    await pod.runContainer();
    await pod.remove();
  }, 60_000);

  test("after disable-nri there is no socket for plugins, and containers start", async () => {
    const containerd = await start("disable-nri");
    expect(existsSync(containerd.nriSocketPath)).toBe(false);
    const pod = await runPod(containerd);
    await pod.runContainer();
    await pod.remove();
  }, 60_000);

  test("remove-oci-hook undoes add-oci-hook to the byte", async () => {
    let texts: readonly string[] = [];
    await startContainerd(workspace, release, {
      enableNri: false,
      prepare: async (configPath) => {
        const before = readFileSync(configPath, "utf8");
        await prepareBaseSpec(release, configPath, []);
        const added = readFileSync(configPath, "utf8");
        await patch(
          configPath,
          "remove-oci-hook",
          "--base-spec",
          join(dirname(configPath), "base-spec.json"),
        );
        texts = [before, added, readFileSync(configPath, "utf8")];
      },
    });
    const [before, added, after] = texts;
    expect(added).not.toBe(before);
    expect(after).toBe(before);
  }, 60_000);
});
