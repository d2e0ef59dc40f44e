// SPDX-License-Identifier: Apache-2.0
// The directory of the pinned maps, for this agent alone. The lock is on the directory itself: a bpf file system takes no
// other files than pins, and agents in other containers see the same directory.

import { chmodSync, mkdirSync, statSync } from "node:fs";
import { ensureBpfFs } from "@rthooks/bpf";
import type { Logger } from "@rthooks/log";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { type ExclusiveLock, type LockFailure, lockDirectory } from "@rthooks/sys/exclusive-lock";
import { describeProcess } from "../../base/edge/describe-process.ts";

/** Where systemd, and Tetragon, mount it. */
const USUAL_ROOT = "/sys/fs/bpf";

/** A user who may open the directory could lock it, and keep the agent from starting. */
const directoryMode = 0o700;
const stickyBit = 0o1000;

export interface BpfDirectory {
  readonly path: string;
  /** Makes and locks it again where another directory is in its place, or none. True: that was so. */
  keep(): Result<boolean, string>;
  release(): void;
}

/** What is missing is made: no agent can hold a directory that is not there. */
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
        return err(`${path} cannot be looked at: ${describeError(error)}`);
      }
      const again = claim(path, log);
      if (!again.ok) return err(renderLockFailure(path, again.error));
      // The old file system, which this lock kept busy, can go now.
      lock.release();
      lock = again.value;
      return ok(true);
    },
    release: () => lock.release(),
  });
}

function claim(path: string, log: Logger): Result<ExclusiveLock, LockFailure> {
  // A file system at another place is the operator's to mount.
  const root = path.startsWith(`${USUAL_ROOT}/`) ? ensureBpfFs(USUAL_ROOT) : ok("there");
  if (!root.ok) return err({ kind: "unusable", message: root.error });
  if (root.value === "mounted") log.info("bpf file system mounted", { path: USUAL_ROOT });
  try {
    mkdirSync(path, { recursive: true, mode: directoryMode });
    const locked = lockDirectory(path);
    // The root of the file system, where users may make directories, is not the agent's alone.
    const { mode } = statSync(path);
    const isShared = (mode & stickyBit) !== 0;
    if (locked.ok && !isShared && (mode & 0o777) !== directoryMode) chmodSync(path, directoryMode);
    return locked;
  } catch (error) {
    return err({ kind: "unusable", message: `${path} cannot be made: ${describeError(error)}` });
  }
}

export const renderLockFailure = (path: string, failure: LockFailure): string =>
  failure.kind === "held" ? `${path} is in use by ${describeProcess(failure.pid)}` : failure.message;
