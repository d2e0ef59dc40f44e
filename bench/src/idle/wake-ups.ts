// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from "node:fs";

/** How often each thread of a process has been woken until now, by thread id; see proc_pid_status(5). */
type WakeUps = ReadonlyMap<string, { readonly name: string; readonly count: number }>;

function readWakeUps(pid: number): WakeUps {
  const threads = readdirSync(`/proc/${pid}/task`).map((id) => {
    const status = readFileSync(`/proc/${pid}/task/${id}/status`, "utf8");
    const read = (field: string): string =>
      new RegExp(`^${field}:\\s+(.*)$`, "m").exec(status)?.[1]?.trim() ?? "";
    return [id, { name: read("Name"), count: Number(read("voluntary_ctxt_switches")) }] as const;
  });
  return new Map(threads);
}

export interface WakeUpRate {
  /** A second, of all threads. */
  readonly all: number;
  /** Of the thread that runs the program. */
  readonly main: number;
  /** Of JavaScriptCore's and mimalloc's own threads, which no code of the program wakes. */
  readonly runtime: number;
}

const ofRuntime = /^(?:mi-scavenger|JITWorker|HeapHelper|JSCWarmUp)$/;

/** A process must not start threads that end within the time. */
export async function measureWakeUps(pid: number, seconds: number): Promise<WakeUpRate> {
  const before = readWakeUps(pid);
  await Bun.sleep(seconds * 1000);
  const rate = { all: 0, main: 0, runtime: 0 };
  for (const [id, { name, count }] of readWakeUps(pid)) {
    const perSecond = (count - (before.get(id)?.count ?? 0)) / seconds;
    rate.all += perSecond;
    if (id === String(pid)) rate.main += perSecond;
    if (ofRuntime.test(name)) rate.runtime += perSecond;
  }
  return rate;
}
