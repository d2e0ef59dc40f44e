// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { openProgramSet, openRuleMaps } from "@rthooks/bpf";
import { embeddedPrograms } from "@rthooks/bpf/embedded-programs";
import { must } from "@rthooks/result/must";
import type { EventContainer } from "../core/agent-event.ts";

export interface EventCgroup {
  /** A bpf file system. */
  readonly bpfFs: string;
  /** Root of the v2 hierarchy. */
  readonly hierarchy: string;
  /** The kernel's maps have it as a container. */
  readonly container: EventContainer;
  /** Runs a program in its cgroup. */
  run(...argv: readonly string[]): Bun.SyncSubprocess<"pipe", "pipe">;
  start(...argv: readonly string[]): Bun.Subprocess;
  close(): void;
}

export function openEventCgroup(): EventCgroup {
  const bpfFs = mkdtempSync(join(tmpdir(), "rth-events-"));
  const mounts = readFileSync("/proc/self/mounts", "utf8");
  const hierarchy = /^\S+ (\S+) cgroup2 /m.exec(mounts)?.[1] ?? "";
  const cgroup = join(hierarchy, basename(bpfFs));
  Bun.spawnSync(["mount", "-t", "bpf", "bpf", bpfFs]);
  mkdirSync(cgroup);
  const directory = join(bpfFs, "enforcement");
  const enforcing = must(openProgramSet({ object: embeddedPrograms(), directory, cgroupRoot: hierarchy }));
  const cgroupId = statSync(cgroup, { bigint: true }).ino;
  must(must(openRuleMaps(enforcing)).putContainer(cgroupId, 1, new Set()));
  const enter = ["/bin/sh", "-c", 'echo $$ >"$0" && exec "$@"', join(cgroup, "cgroup.procs")];
  return {
    ...{ bpfFs, hierarchy },
    container: {
      ...{ cgroupPath: basename(bpfFs) },
      ...{
        cgroupId,
        id: "c1",
        name: "app",
        image: "i",
        imageId: "",
        runtime: "",
        startTimeMs: undefined,
        pid: undefined,
      },
      ...{
        podName: "web",
        podUid: "u",
        namespace: "shop",
        labels: new Map(),
        workload: "",
        workloadKind: "",
      },
    },
    run: (...argv) => Bun.spawnSync([...enter, ...argv]),
    start: (...argv) =>
      Bun.spawn([...enter, ...argv], { stdin: "ignore", stdout: "ignore", stderr: "ignore" }),
    close() {
      enforcing.close();
      // A test may have removed it.
      if (existsSync(cgroup)) rmdirSync(cgroup);
      Bun.spawnSync(["umount", bpfFs]);
      rmdirSync(bpfFs);
    },
  };
}
