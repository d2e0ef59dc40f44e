// SPDX-License-Identifier: Apache-2.0

import type { ErrnoName, SysError } from "@rthooks/sys";
import type { CommandName } from "./commands.ts";

/** A failed bpf(2) call: command, subject and cause. */
export interface BpfError {
  readonly command: CommandName;
  /** The name of the map or program, or the pin's path. */
  readonly subject: string;
  readonly code: ErrnoName;
  readonly message: string;
  /** A remedy or the likely cause; empty if unknown. */
  readonly hint: string;
}

export function toBpfError(command: CommandName, { subject, code, message }: SysError): BpfError {
  return { command, subject, code, message, hint: findHint(command, code) };
}

function findHint(command: CommandName, code: ErrnoName): string {
  switch (code) {
    case "EPERM":
      // The kernel answers EPERM also for any other file system (kernel/bpf/inode.c, bpf_obj_do_pin).
      if (command === "OBJ_PIN") return "the directory is not on a bpf file system: mount -t bpf bpf DIR";
      return "run as root, or with CAP_BPF and CAP_PERFMON, which a container must be granted";
    case "ENOSYS":
      return "the kernel is built without bpf(2)";
    case "ENOMEM":
      return "out of memory, or RLIMIT_MEMLOCK is too low (kernels before 5.11 charge maps to it)";
    case "E2BIG":
    // What a longest-prefix trie answers (kernel/bpf/lpm_trie.c).
    case "ENOSPC":
      return command === "MAP_UPDATE_ELEM" || command === "MAP_UPDATE_BATCH" ? "the map is full" : "";
    case "EEXIST":
      return command === "OBJ_PIN" ? "the path already exists" : "";
    default:
      return "";
  }
}

/** "MAP_UPDATE_ELEM policy_1_map: argument list too long (the map is full)" */
export function renderBpfError({ command, subject, message, hint }: BpfError): string {
  const what = subject === "" ? command : `${command} ${subject}`;
  return hint === "" ? `${what}: ${message}` : `${what}: ${message} (${hint})`;
}
