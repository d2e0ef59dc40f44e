// SPDX-License-Identifier: Apache-2.0
import { dirname, join } from "node:path";
import type { ContainerdRelease } from "../harness/containerd-release.ts";
import { runProcess } from "../harness/process.ts";
import { findHook, findSetup } from "../harness/programs.ts";

/** Wires the hook into containerd's configuration by way of a base spec, with the tool as an operator runs it. */
export async function prepareBaseSpec(
  release: ContainerdRelease,
  configPath: string,
  hookArgs: readonly string[],
): Promise<void> {
  const { exitCode, stderr } = await runProcess([
    ...[findSetup(), "patch-containerd-conf", "add-oci-hook", "--config-file", configPath, "--in-place"],
    ...["--base-spec", join(dirname(configPath), "base-spec.json"), "--oci-hook-path", findHook()],
    ...["--ctr", join(release.binDir, "ctr"), "hook-args", ...hookArgs],
  ]);
  if (exitCode !== 0) throw new Error(`add-oci-hook: ${stderr}`);
}
