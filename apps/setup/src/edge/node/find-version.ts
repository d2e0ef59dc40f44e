// SPDX-License-Identifier: Apache-2.0

import { runInRoot } from "../install/run-in-root.ts";

/** Runs a program with `--version` in `root`; null if it fails or prints no version. */
export async function findVersion(root: string, ...command: readonly string[]): Promise<string | null> {
  const ran = await runInRoot(root, [...command, "--version"]);
  if (!ran.ok || ran.value.exitCode !== 0) return null;
  // "containerd containerd.io 1.7.24 …", "crio version 1.30.4", "podman version 4.3.1"
  return /(?:^|\s)v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?)/.exec(ran.value.stdout)?.[1] ?? null;
}
