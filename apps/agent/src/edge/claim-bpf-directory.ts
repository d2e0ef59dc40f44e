// SPDX-License-Identifier: Apache-2.0
// The directory of the pinned maps, for this agent alone. The lock is on the directory itself: a bpf file system takes no
// other files than pins, and agents in other containers see the same directory.

import { chmodSync, mkdirSync, statSync } from "node:fs";
import { ensureBpfFs } from "@rthooks/bpf";
import type { Logger } from "@rthooks/log";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { type ExclusiveLock, type LockFailure, lockDirectory } from "@rthooks/sys/exclusive-lock";

/** Where systemd, and Tetragon, mount it. */
const USUAL_ROOT = "/sys/fs/bpf";

/** A user who may open the directory could lock it, and keep the agent from starting. */
const directoryMode = 0o700;

/** What is missing is made: nobody can hold what is not there. */
export function claimBpfDirectory(path: string, log: Logger): Result<ExclusiveLock, LockFailure> {
  // Elsewhere it is for whoever chose the place to have one there.
  const root = path.startsWith(`${USUAL_ROOT}/`) ? ensureBpfFs(USUAL_ROOT) : ok("there");
  if (!root.ok) return err({ kind: "unusable", message: root.error });
  if (root.value === "mounted") log.info("bpf file system mounted", { path: USUAL_ROOT });
  try {
    mkdirSync(path, { recursive: true, mode: directoryMode });
    const locked = lockDirectory(path);
    if (locked.ok && (statSync(path).mode & 0o777) !== directoryMode) chmodSync(path, directoryMode);
    return locked;
  } catch (error) {
    return err({ kind: "unusable", message: `${path} cannot be made: ${describeError(error)}` });
  }
}
