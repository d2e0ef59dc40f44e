// SPDX-License-Identifier: Apache-2.0
// What a virtual machine's kernel has reported of the processes of process-cases.ts, and what it is to report.
import { expect } from "bun:test";
import { type ProcessCase, recordedWords } from "./process-cases.ts";
import type { Booted } from "./vm/boot-kernel.ts";

/** As the program of fixtures/processes.ts prints it. */
type Report = Readonly<Record<string, unknown>>;

export const readReports = (vm: Booted): readonly Report[] =>
  vm
    .result("processes.read")
    .split("\n")
    .map((line) => JSON.parse(line));

/** By its kind, from what the process itself, or the shell beside it, has seen. */
export function expectReports(vm: Booted): Readonly<Record<ProcessCase["name"], readonly Report[]>> {
  // proc_pid_stat(5): pid, (comm), state, ppid, …, and field 22: the start, in ticks of 10 ms.
  const fields = vm.result("told").split(" ");
  const [pid, parentPid, ticks] = [0, 3, 21].map((at) => Number(fields[at]));
  const child = Number(readReports(vm).find(({ kind }) => kind === "fork")?.["childPid"]);
  const startTime = expect.stringMatching(new RegExp(`^${ticks}\\d{7}$`));
  const head = { container: vm.result("told.id"), uid: 0 };
  const own = { ...head, pid, tid: pid, parentPid, startTime };
  const program = { path: "/bin/busybox", areArgumentsCut: false, namespacePid: pid, auid: 0xff_ff_ff_ff };
  const words = ["sh", "-c", expect.stringContaining("exec /bin/busybox")];
  return {
    exec: [
      { ...own, ...program, arguments: words, cwd: "/root" },
      { ...own, ...program, arguments: recordedWords, cwd: "/usr" },
    ],
    fork: [{ ...own, childPid: child, childNamespacePid: child }],
    exit: [
      { ...head, pid: child, tid: child, parentPid: pid, parentStartTime: startTime, exitCode: 3 << 8 },
      { ...own, exitCode: 15 },
    ],
    cgroup_gone: [{ cgroup: vm.result("removed.id"), container: "0" }],
  };
}
