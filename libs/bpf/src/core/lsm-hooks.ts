// SPDX-License-Identifier: Apache-2.0
// LSM hooks to which programs can be attached, and what they know of the event: include/linux/lsm_hook_defs.h of
// Linux 6.1 to 6.18. Left out are hooks whose result means more than "let it pass", and those without anything to read.

import type { AddressFacet, NumberFacet, TextFacet } from "@rthooks/policy";

/** What an argument of a hook is, and so what is read of it. */
export type LsmReading =
  | "int32"
  | "uint32"
  | "uint64"
  | "uint16"
  | "bool"
  /** A text in kernel memory. */
  | "text"
  /** Texts: paths. */
  | "file"
  | "path"
  | "linux_binprm"
  /** The file that a mapping is of. */
  | "mapping"
  /** The path where the file system is mounted. */
  | "mount"
  /** The path within its file system. */
  | "dentry"
  /** The path with the mount of argument N: below the directory, or beside it. */
  | `dentry of ${0 | 1 | 2}`
  /** A `struct socket`: numbers, and addresses that no other argument has. */
  | "socket"
  | "socket to connect"
  | "socket to bind"
  | "sock"
  | "destination"
  | "source"
  /** A message; its address is the destination. */
  | "message"
  /** Numbers of a socket that is not made yet. */
  | "family"
  | "socket type"
  | "protocol"
  /** Numbers: the uid, the pid. */
  | "cred"
  | "task"
  | "skip";

export interface LsmHook {
  /** Its number in the rules' map. Never another one: rules of an earlier agent are about it. */
  readonly id: number;
  readonly name: string;
  readonly args: readonly LsmReading[];
}

const table: readonly (readonly [id: number, name: string, ...args: readonly LsmReading[]])[] = [
  [16, "file_open", "file"],
  [17, "file_permission", "file", "int32"],
  [18, "file_ioctl", "file", "uint32", "uint64"],
  [19, "mmap_file", "file", "uint64", "uint64", "uint64"],
  [20, "file_mprotect", "mapping", "uint64", "uint64"],
  [21, "file_fcntl", "file", "uint32", "uint64"],
  [22, "file_lock", "file", "uint32"],
  [23, "file_receive", "file"],
  [24, "file_truncate", "file"],
  [25, "path_mkdir", "path", "dentry of 0", "uint16"],
  [26, "path_rmdir", "path", "dentry of 0"],
  [27, "path_unlink", "path", "dentry of 0"],
  [28, "path_mknod", "path", "dentry of 0", "uint16", "uint32"],
  [29, "path_symlink", "path", "dentry of 0", "text"],
  [30, "path_link", "dentry of 1", "path", "dentry of 1"],
  [31, "path_rename", "path", "dentry of 0", "path", "dentry of 2", "uint32"],
  [32, "path_truncate", "path"],
  [33, "path_chmod", "path", "uint16"],
  [34, "path_chown", "path", "uint32", "uint32"],
  [35, "path_chroot", "path"],
  [36, "inode_create", "skip", "dentry", "uint16"],
  [37, "inode_link", "dentry", "skip", "dentry"],
  [38, "inode_unlink", "skip", "dentry"],
  [39, "inode_symlink", "skip", "dentry", "text"],
  [40, "inode_mkdir", "skip", "dentry", "uint16"],
  [41, "inode_rmdir", "skip", "dentry"],
  [42, "inode_mknod", "skip", "dentry", "uint16", "uint32"],
  [43, "inode_rename", "skip", "dentry", "skip", "dentry"],
  [44, "inode_getattr", "path"],
  [45, "inode_readlink", "dentry"],
  [46, "socket_create", "family", "socket type", "protocol", "int32"],
  [47, "socket_bind", "socket to bind", "source", "int32"],
  [48, "socket_connect", "socket to connect", "destination", "int32"],
  [49, "socket_listen", "socket", "int32"],
  [50, "socket_accept", "socket", "skip"],
  [51, "socket_sendmsg", "socket", "message", "int32"],
  [52, "socket_recvmsg", "socket", "skip", "int32", "int32"],
  [53, "socket_setsockopt", "socket", "int32", "int32"],
  [54, "socket_shutdown", "socket", "int32"],
  [55, "unix_stream_connect", "sock", "skip", "skip"],
  [56, "ptrace_access_check", "task", "uint32"],
  [57, "ptrace_traceme", "task"],
  [58, "task_kill", "task", "skip", "int32", "skip"],
  [59, "capable", "cred", "skip", "int32", "uint32"],
  [60, "kernel_module_request", "text"],
  [61, "kernel_read_file", "file", "uint32", "bool"],
  [62, "kernel_load_data", "uint32", "bool"],
  [63, "sb_mount", "text", "path", "text", "uint64", "skip"],
  [64, "sb_umount", "mount", "int32"],
  [65, "sb_pivotroot", "path", "path"],
  [66, "move_mount", "path", "path"],
  [67, "bpf", "int32", "skip", "uint32"],
  [68, "bprm_check_security", "linux_binprm"],
  [69, "bprm_creds_for_exec", "linux_binprm"],
  [70, "userns_create", "cred"],
  [71, "locked_down", "uint32"],
  [72, "syslog", "int32"],
  [73, "perf_event_open", "skip", "int32"],
  [74, "task_fix_setuid", "cred", "cred", "int32"],
  [75, "task_setnice", "task", "int32"],
  [76, "task_setscheduler", "task"],
];

export const lsmHooks: ReadonlyMap<string, LsmHook> = new Map(
  table.map(([id, name, ...args]) => [name, { id, name, args }]),
);

type Facet = NumberFacet | TextFacet | AddressFacet;

const socketNumbers = ["family", "socketType", "protocol", "socketState"] as const; // const: facets
const destination = ["destination", "destinationPort"] as const; // const: facets
const source = ["source", "sourcePort"] as const; // const: facets

const otherFacets: Readonly<Partial<Record<LsmReading, readonly Facet[]>>> = {
  socket: [...socketNumbers, ...source, ...destination],
  sock: [...socketNumbers, ...source, ...destination],
  "socket to connect": [...socketNumbers, ...source],
  "socket to bind": [...socketNumbers, ...destination],
  ...{ destination, source, message: destination },
};
const facetsOfBoth: Readonly<Partial<Record<LsmReading, Facet>>> = {
  ...{ family: "family", "socket type": "socketType", protocol: "protocol" },
};

/** What the programs of the hook know, beside what is known of each process. */
export function findLsmFacets({ args }: LsmHook): ReadonlySet<Facet> {
  const names = ["arg0", "arg1", "arg2", "arg3", "arg4"] as const; // const: facets
  return new Set(
    args.flatMap((reading, at): readonly Facet[] => {
      const [name, both, others] = [names[at], facetsOfBoth[reading], otherFacets[reading]];
      if (others !== undefined) return others;
      if (name === undefined || reading === "skip") return [];
      return both === undefined ? [name] : [name, both];
    }),
  );
}
