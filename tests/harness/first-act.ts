// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findCgroupDirectory } from "./cgroup.ts";
import type { RunningProcess } from "./process.ts";
import { waitFor } from "./wait.ts";

/** What the container's first instructions left in /out; see `firstActScript`. */
export interface FirstAct {
  readonly unixMicros: bigint;
  /** Its own cgroup in the v2 hierarchy, as its /proc/self/cgroup says. */
  readonly cgroupPath: string;
}

export function hasWritten(outDir: string): boolean {
  return readdirSync(outDir).length > 0;
}

/** Undefined until both files are whole. */
export function findFirstAct(outDir: string): FirstAct | undefined {
  const [first, cgroup] = ["first", "cgroup"].map((name) => join(outDir, name));
  if (first === undefined || cgroup === undefined || !existsSync(first) || !existsSync(cgroup)) return;
  const clock = /^(\d+)\.(\d{6})\n$/.exec(readFileSync(first, "utf8"));
  const path = /^0::(.*)\n/m.exec(readFileSync(cgroup, "utf8"));
  if (clock?.[1] === undefined || clock[2] === undefined || path?.[1] === undefined) return;
  return { unixMicros: BigInt(clock[1] + clock[2]), cgroupPath: path[1] };
}

/** Fails at once, with the runtime's own words, when the runtime ends without it. */
export function waitForFirstAct(runtime: RunningProcess, outDir: string): Promise<FirstAct> {
  return waitFor("the container's first write", () => {
    const act = findFirstAct(outDir);
    if (act === undefined && runtime.hasExited()) throw new Error(`the runtime ended: ${runtime.stderr()}`);
    return act;
  });
}

/** Command names of the processes in a cgroup. */
export function readCommands(cgroupPath: string): readonly string[] {
  const procs = join(findCgroupDirectory(cgroupPath), "cgroup.procs");
  if (!existsSync(procs)) return [];
  return readFileSync(procs, "utf8")
    .split("\n")
    .filter(Boolean)
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/comm`, "utf8").trim()];
      } catch {
        return []; // It ended between the two reads.
      }
    });
}

export const unixMicros = (): bigint =>
  BigInt(Math.round((performance.timeOrigin + performance.now()) * 1_000));
