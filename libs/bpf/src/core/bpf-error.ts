// SPDX-License-Identifier: Apache-2.0

import type { ErrnoName, SysError } from "@rthooks/sys";
import type { CommandName } from "./commands.ts";

/** A call of bpf(2) that failed: which, on what, and why. */
export interface BpfError {
  readonly command: CommandName;
  /** The map's name or the pin's path. */
  readonly subject: string;
  readonly code: ErrnoName;
  readonly message: string;
  /** What to do about it; empty where nobody knows. */
  readonly hint: string;
}

export function toBpfError(command: CommandName, { subject, code, message }: SysError): BpfError {
  return { command, subject, code, message, hint: findHint(command, code) };
}

function findHint(command: CommandName, code: ErrnoName): string {
  switch (code) {
    case "EPERM":
      // The kernel's answer for any other file system too (kernel/bpf/inode.c, bpf_obj_do_pin).
      if (command === "OBJ_PIN") return "the directory is no bpf file system: mount -t bpf bpf DIR";
      return "run as root, or with CAP_BPF and CAP_PERFMON; a container also needs them granted";
    case "ENOSYS":
      return "this kernel is built without bpf(2)";
    case "ENOMEM":
      return "memory is short, or RLIMIT_MEMLOCK is (kernels before 5.11 count maps there)";
    case "E2BIG":
      return command === "MAP_UPDATE_ELEM" || command === "MAP_UPDATE_BATCH" ? "the map is full" : "";
    case "EEXIST":
      return command === "OBJ_PIN" ? "something is pinned there already" : "";
    default:
      return "";
  }
}

/** "MAP_UPDATE_ELEM policy_1_map: argument list too long (the map is full)" */
export function renderBpfError({ command, subject, message, hint }: BpfError): string {
  const what = subject === "" ? command : `${command} ${subject}`;
  return hint === "" ? `${what}: ${message}` : `${what}: ${message} (${hint})`;
}
