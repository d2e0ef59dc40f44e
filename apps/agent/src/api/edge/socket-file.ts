// SPDX-License-Identifier: Apache-2.0
// The agent's unix socket in the file system. It is created in a private directory beside its place and renamed into
// place: clients never see it with other permissions than the final ones, and a stale socket is replaced atomically.

import {
  type BigIntStats,
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  unlinkSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { findListenerPid, probeSocket } from "@rthooks/sys/unix-socket";
import { describeProcess } from "../../base/edge/describe-process.ts";

const directoryMode = 0o755;
const socketMode = 0o660;

export interface StagedSocket {
  /** Where to listen. */
  readonly stagingPath: string;
  /** Puts the listening socket in its place. */
  publish(): SocketFile;
  discard(): void;
}

export interface SocketFile {
  /** Removes the file unless another agent has put its own there. */
  remove(): void;
}

const statOptions = { bigint: true, throwIfNoEntry: false } as const; // const: the overload with bigints

/** An error where the path has anything but a socket on which no program listens. */
export async function stageSocket(path: string): Promise<Result<StagedSocket, string>> {
  const place = await checkSocketPlace(path);
  if (!place.ok) return place;
  try {
    // Below the socket's directory: that may be a mount of its own, as it is in a pod, and a rename does not leave a mount.
    const staging = mkdtempSync(`${dirname(path)}/.`);
    return ok(createStagedSocket(path, staging));
  } catch (error) {
    return err(`the socket ${path} cannot be made: ${describeError(error)}`);
  }
}

/** Whether a socket can be created there; creates its directory. The error is one line for people. */
export async function checkSocketPlace(path: string): Promise<Result<void, string>> {
  try {
    const directory = dirname(path);
    const firstMade = mkdirSync(directory, { recursive: true, mode: directoryMode });
    // Whatever the umask was.
    if (firstMade !== undefined) chmodSync(directory, directoryMode);
    const existing = lstatSync(path, statOptions);
    if (existing !== undefined && !existing.isSocket()) {
      return err(
        `${path} is ${describeKind(existing)}, not a socket; it is left alone, remove it or use another path`,
      );
    }
    // "unknown" (permission, full backlog) is taken for a program that listens.
    if (existing !== undefined && !["refused", "absent"].includes(await probeSocket(path))) {
      const holder = describeProcess(findListenerPid(path));
      return err(`${path} is in use by ${holder}; stop it, or use another --server-address`);
    }
    return ok(undefined);
  } catch (error) {
    return err(`the socket ${path} cannot be made: ${describeError(error)}`);
  }
}

function createStagedSocket(path: string, staging: string): StagedSocket {
  const stagingPath = join(staging, "s");
  const discard = (): void => rmSync(staging, { recursive: true, force: true });
  return {
    stagingPath,
    discard,
    publish: () => {
      chmodSync(stagingPath, socketMode);
      const { ino, dev } = lstatSync(stagingPath, { bigint: true });
      renameSync(stagingPath, path);
      discard();
      return {
        remove: () => {
          const now = lstatSync(path, statOptions);
          if (now?.ino === ino && now.dev === dev) unlinkSync(path);
        },
      };
    },
  };
}

function describeKind(stats: BigIntStats): string {
  if (stats.isDirectory()) return "a directory";
  if (stats.isSymbolicLink()) return "a symbolic link";
  if (stats.isFIFO()) return "a named pipe";
  return stats.isFile() ? "a regular file" : "a device";
}
