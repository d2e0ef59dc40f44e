// SPDX-License-Identifier: Apache-2.0
import { findCgroupDirectory } from "./cgroup.ts";

export interface Ended {
  readonly exitCode: number | null;
  /** "SIGKILL"; empty if it ended by itself. */
  readonly signal: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program whose process is in the cgroup before the program is executed. */
export function runInCgroup(cgroupPath: string, argv: readonly string[], cwd = "/"): Ended {
  const procs = `${findCgroupDirectory(cgroupPath)}/cgroup.procs`;
  // The shell is executed outside, and in the cgroup executes the program in its place.
  const enter = ["/bin/sh", "-c", 'echo $$ >"$0" && exec "$@"', procs, ...argv];
  const { exitCode, signalCode, stdout, stderr } = Bun.spawnSync(enter, { cwd });
  return { exitCode, signal: String(signalCode ?? ""), stdout: stdout.toString(), stderr: stderr.toString() };
}
