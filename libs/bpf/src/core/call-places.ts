// SPDX-License-Identifier: Apache-2.0
// The places of a system call in the map `called_hooks`: its number, and the 32-bit calls that do the same.

import { findCallNumber } from "@rthooks/policy";
import { type LayoutName, toLayoutNumber } from "./call-layouts.ts";
import { numbers32, numbersX32 } from "./call-numbers-32.ts";
import type { Processor } from "./registers.ts";

export interface CallPlace {
  readonly place: number;
  readonly is32Bit: boolean;
  /** Its number in `call__layouts`. */
  readonly layout: number;
}

/** 32-bit calls with another name, or with their arguments at other places. */
const others: Readonly<Record<string, readonly (readonly [name: string, layout: LayoutName])[]>> = {
  lseek: [["_llseek", "llseek"]],
  pread64: [["pread64", "pread64"]],
  pwrite64: [["pwrite64", "pread64"]],
  truncate: [["truncate64", "truncate64"]],
  ftruncate: [["ftruncate64", "truncate64"]],
  readahead: [["readahead", "truncate64"]],
  fadvise64: [
    ["fadvise64", "truncate64"],
    ["fadvise64_64", "fadvise64_64"],
  ],
  sync_file_range: [["sync_file_range", "fadvise64_64"]],
  fallocate: [["fallocate", "fallocate"]],
  fanotify_mark: [["fanotify_mark", "fanotify_mark"]],
  mmap: [
    ["mmap", "memory"],
    ["mmap2", "mmap2"],
  ],
  select: [
    ["select", "memory"],
    ["_newselect", "plain"],
  ],
  clone: [["clone", "clone"]],
  statfs: [["statfs64", "statfs64"]],
  fstatfs: [["fstatfs64", "statfs64"]],
  umount2: [["umount", "first"]],
  wait4: [["waitpid", "plain"]],
  stat: [["oldstat", "plain"]],
  lstat: [["oldlstat", "plain"]],
  fstat: [["oldfstat", "plain"]],
  newfstatat: [["fstatat64", "plain"]],
  getdents: [["readdir", "plain"]],
  getrlimit: [["ugetrlimit", "plain"]],
  uname: [
    ["olduname", "plain"],
    ["oldolduname", "plain"],
  ],
  rt_sigaction: [
    ["sigaction", "plain"],
    ["signal", "plain"],
  ],
  rt_sigprocmask: [["sigprocmask", "plain"]],
  rt_sigpending: [["sigpending", "plain"]],
  rt_sigsuspend: [["sigsuspend", "plain"]],
  rt_sigreturn: [["sigreturn", "plain"]],
};

const SOCKET_CALLS = 928;
const IPC_CALLS = 960;

/** By the first argument of socketcall(2), from 1 on. */
const socketCalls: readonly string[] = [
  ...["socket", "bind", "connect", "listen", "accept", "getsockname", "getpeername", "socketpair", "sendto"],
  ...["recvfrom", "sendto", "recvfrom", "shutdown", "setsockopt", "getsockopt", "sendmsg", "recvmsg"],
  ...["accept4", "recvmmsg", "sendmmsg"],
];

/** By the first argument of ipc(2). */
const ipcCalls: Readonly<Record<string, readonly [part: number, layout: LayoutName]>> = {
  ...{ semop: [1, "semop"], semget: [2, "semget"], semctl: [3, "semget"], semtimedop: [4, "semop"] },
  ...{ msgsnd: [11, "msgsnd"], msgrcv: [12, "semop"], msgget: [13, "semget"], msgctl: [14, "msgctl"] },
  ...{ shmat: [21, "semop"], shmdt: [22, "shmdt"], shmget: [23, "semget"], shmctl: [24, "msgctl"] },
};

/** `name`: as in the tracepoint sys_enter_NAME. Undefined: the number of the call is not known here. */
export function findCallPlaces(name: string, processor: Processor): readonly CallPlace[] | undefined {
  const found = findCallNumber(name, processor);
  if (found === undefined) return undefined;
  const own: CallPlace = { place: found.number, is32Bit: false, layout: 0 };
  return processor === "x64" ? [own, ...findOthers(found.name)] : [own];
}

function findOthers(name: string): readonly CallPlace[] {
  const x32 = numbersX32.get(name);
  const places: CallPlace[] = x32 === undefined ? [] : [{ place: x32, is32Bit: false, layout: 0 }];
  const add = (place: number | undefined, layout: LayoutName): void => {
    if (place === undefined || places.some((one) => one.is32Bit && one.place === place)) return;
    places.push({ place, is32Bit: true, layout: toLayoutNumber(layout) });
  };
  for (const [other, layout] of Object.hasOwn(others, name) ? (others[name] ?? []) : [])
    add(numbers32.get(other), layout);
  add(numbers32.get(name), "plain");
  for (const ending of ["32", "64", "_time64"]) {
    const other = `${name}${ending}`;
    // Calls of their own in the 64-bit table, too: getdents64.
    if (findCallNumber(other, "x64")?.name !== other) add(numbers32.get(other), "plain");
  }
  for (const [at, one] of socketCalls.entries()) if (one === name) add(SOCKET_CALLS + at + 1, "socketcall");
  const ipc = Object.hasOwn(ipcCalls, name) ? ipcCalls[name] : undefined;
  if (ipc !== undefined) add(IPC_CALLS + ipc[0], ipc[1]);
  return places;
}
