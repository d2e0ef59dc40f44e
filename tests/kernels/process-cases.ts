// SPDX-License-Identifier: Apache-2.0
// What the programs of bpf/process.bpf.c report, each provoked in a virtual machine by processes of a cgroup that they know.

export interface ProcessCase {
  readonly name: "exec" | "exit" | "fork" | "cgroup_gone";
  /** As a table for users has it. */
  readonly feature: string;
}

export const processCases: readonly ProcessCase[] = [
  { name: "exec", feature: "event of an execution" },
  { name: "exit", feature: "event of the end of a process" },
  { name: "fork", feature: "event of a process that another one makes" },
  { name: "cgroup_gone", feature: "removal of a container's cgroup" },
];

/** Reported by the process in the cgroup itself, before it executes another program, which ends by SIGTERM. */
const process = `
read -r stat </proc/$$/stat
echo $stat
(exit 3)
cd /usr
exec /bin/busybox sh -c "kill -TERM \\$\\$" "a b" ""`;

export const recordedWords = ["/bin/busybox", "sh", "-c", "kill -TERM $$", "a b", ""];

const programs = (act: string): string => `/root/processes ${act} /sys/fs/bpf/processes /sys/fs/cgroup`;
/** Needs `enter CGROUP COMMAND...`, and the program of fixtures/processes.ts. */
export const recordProcesses = `
mkdir -p /sys/fs/cgroup/told /sys/fs/cgroup/removed
chmod +x /root/processes
report processes.begin ${programs("begin")} /told /removed
report told enter told sh -c '${process}'
enter beside true
for name in told removed; do result $name.id $(stat -c %i /sys/fs/cgroup/$name); done
rmdir /sys/fs/cgroup/removed
report processes.read ${programs("read")}
`;
