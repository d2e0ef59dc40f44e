// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ContainerdRelease } from "../harness/containerd-release.ts";
import { minimalEnv, runProcess } from "../harness/process.ts";
import { findHook } from "../harness/programs.ts";
import { parseRecord } from "../harness/records.ts";

const runtimeType = 'runtime_type = "io.containerd.runc.v2"';

/** Wires the hook into containerd's configuration by way of a base spec, as the README tells an operator to. */
export async function prepareBaseSpec(
  release: ContainerdRelease,
  configPath: string,
  hookArgs: readonly string[],
): Promise<void> {
  const baseSpecPath = join(dirname(configPath), "base-spec.json");
  const { stdout } = await runProcess([join(release.binDir, "ctr"), "oci", "spec"]);
  const spec = parseRecord(stdout);
  // The base's limit of 1,024 open files would reach every container: CRI does not clear it.
  const { rlimits: _, ...process } = parseRecord(JSON.stringify(spec["process"]));
  const hook = findHook();
  const entry = {
    path: hook,
    args: [hook, "createRuntime", ...hookArgs],
    env: [`PATH=${minimalEnv["PATH"]}`],
  };
  writeFileSync(baseSpecPath, JSON.stringify({ ...spec, process, hooks: { createRuntime: [entry] } }));
  const config = readFileSync(configPath, "utf8");
  const line = `base_runtime_spec = "${baseSpecPath}"`;
  writeFileSync(configPath, config.replace(runtimeType, `${runtimeType}\n    ${line}`));
}
