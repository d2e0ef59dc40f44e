// SPDX-License-Identifier: Apache-2.0
// Locks the directory of the pinned maps, so that only one agent uses it. The lock is on the directory itself: a bpf file
// system holds no files but pins, and agents in other containers see the same directory.

import { chmodSync, mkdirSync, statSync } from "node:fs";
import { ensureBpfFs } from "@rthooks/bpf";
import type { Logger } from "@rthooks/log";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { type ExclusiveLock, type LockFailure, lockDirectory } from "@rthooks/sys/exclusive-lock";
import { describeProcess } from "../../base/edge/describe-process.ts";

/** Where systemd and Tetragon mount the bpf file system. */
const USUAL_ROOT = "/sys/fs/bpf";

/** For root only: a user who could open the directory could lock it, and keep the agent from starting. */
const directoryMode = 0o700;
const stickyBit = 0o1000;

export interface BpfDirectory {
  readonly path: string;
  /** Creates and locks the directory again where it was removed or replaced; true: that was done. */
  keep(): Result<boolean, string>;
  release(): void;
}

/** Creates the directory if it is missing. */
export function claimBpfDirectory(path: string, log: Logger): Result<BpfDirectory, LockFailure> {
  const claimed = claim(path, log);
  if (!claimed.ok) return claimed;
  let lock = claimed.value;
  return ok({
    path,
    keep() {
      try {
        if (lock.isInPlace()) return ok(false);
      } catch (error) {
        return err(`cannot examine ${path}: ${describeError(error)}`);
      }
      const again = claim(path, log);
      if (!again.ok) return err(renderLockFailure(path, again.error));
      // The old file system can be unmounted now: this lock kept it busy.
      lock.release();
      lock = again.value;
      return ok(true);
    },
    release: () => lock.release(),
  });
}

function claim(path: string, log: Logger): Result<ExclusiveLock, LockFailure> {
  // At another path the operator mounts the file system.
  const root = path.startsWith(`${USUAL_ROOT}/`) ? ensureBpfFs(USUAL_ROOT) : ok("there");
  if (!root.ok) return err({ kind: "unusable", message: root.error });
  if (root.value === "mounted") log.info("bpf file system mounted", { path: USUAL_ROOT });
  try {
    mkdirSync(path, { recursive: true, mode: directoryMode });
    const locked = lockDirectory(path);
    // A directory with the sticky bit, such as the root of the file system, is shared with others.
    const { mode } = statSync(path);
    const isShared = (mode & stickyBit) !== 0;
    if (locked.ok && !isShared && (mode & 0o777) !== directoryMode) chmodSync(path, directoryMode);
    return locked;
  } catch (error) {
    return err({ kind: "unusable", message: `cannot create ${path}: ${describeError(error)}` });
  }
}

export const renderLockFailure = (path: string, failure: LockFailure): string =>
  failure.kind === "held" ? `${path} is in use by ${describeProcess(failure.pid)}` : failure.message;
