// SPDX-License-Identifier: Apache-2.0
// Exclusive locks on files and directories with flock(2). The kernel releases them when the process ends for any reason.

import { closeSync, fstatSync, readFileSync, statSync } from "node:fs";
import { err, ok, type Result } from "@rthooks/result";
import { AT_FDCWD, abi, O_CLOEXEC, O_CREAT, O_RDONLY } from "./abi.ts";
import { renderSysError } from "./errno.ts";
import { openSyscalls } from "./syscall.ts";

export interface ExclusiveLock {
  /** False if the path no longer leads to the locked file or directory. */
  isInPlace(): boolean;
  release(): void;
}

export type LockFailure =
  /** `pid`: undefined if /proc/locks does not show it, as for a process of another PID namespace. */
  | { readonly kind: "held"; readonly pid: number | undefined }
  | { readonly kind: "unusable"; readonly message: string };

const LOCK_EX_NB = 2 | 4;
/** For the owner alone, since every user who can open the file can lock it. */
const fileMode = 0o600;
/** The file may be removed by its last holder between open(2) and flock(2). */
const maxTries = 10;

/** Locks an existing directory, also on a file system without regular files, such as the bpf file system. */
export const lockDirectory = (path: string): Result<ExclusiveLock, LockFailure> =>
  lock(path, O_RDONLY | abi.O_DIRECTORY);

/** Locks a file, which is created if it does not exist. Its holder may remove it before `release`. */
export const lockFile = (path: string): Result<ExclusiveLock, LockFailure> =>
  lock(path, O_RDONLY | O_CREAT | abi.O_NOFOLLOW);

function lock(path: string, flags: number): Result<ExclusiveLock, LockFailure> {
  try {
    const sys = openSyscalls();
    const target = new TextEncoder().encode(`${path}\0`);
    for (let tries = 0; tries < maxTries; tries++) {
      const fd = sys.call("openat", path, AT_FDCWD, target, flags | O_CLOEXEC, fileMode);
      if (!fd.ok) return err({ kind: "unusable", message: renderSysError(fd.error) });
      const locked = sys.call("flock", path, fd.value, LOCK_EX_NB);
      if (!locked.ok) {
        const pid = locked.error.code === "EAGAIN" ? findHolder(fd.value) : undefined;
        closeSync(fd.value);
        return err(
          locked.error.code === "EAGAIN"
            ? { kind: "held", pid }
            : { kind: "unusable", message: renderSysError(locked.error) },
        );
      }
      const made = toLock(path, fd.value);
      if (made.isInPlace()) return ok(made);
      made.release();
    }
    return err({ kind: "unusable", message: `${path} is being replaced repeatedly` });
  } catch (error) {
    return err({ kind: "unusable", message: error instanceof Error ? error.message : String(error) });
  }
}

function toLock(path: string, fd: number): ExclusiveLock {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return {
    isInPlace() {
      const now = statSync(path, { bigint: true, throwIfNoEntry: false });
      return now?.dev === dev && now.ino === ino;
    },
    release: () => closeSync(fd),
  };
}

/** From /proc/locks (proc_locks(5)): "1: FLOCK  ADVISORY  WRITE 123 00:27:30339 0 EOF", with the device in hexadecimal. */
function findHolder(fd: number): number | undefined {
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    // new_encode_dev() of include/linux/kdev_t.h.
    const major = (dev >> 8n) & 0xfffn;
    const minor = (dev & 0xffn) | ((dev >> 12n) & 0xfff00n);
    const hex = (value: bigint): string => value.toString(16).padStart(2, "0");
    const place = `${hex(major)}:${hex(minor)}:${ino}`;
    for (const line of readFileSync("/proc/locks", "utf8").split("\n")) {
      const [, kind, , , pid, where] = line.trim().split(/\s+/);
      if (kind === "FLOCK" && where === place && Number(pid) > 0) return Number(pid);
    }
  } catch {
    // Without /proc the message has no pid.
  }
  return undefined;
}
