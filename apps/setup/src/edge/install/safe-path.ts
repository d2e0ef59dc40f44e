// SPDX-License-Identifier: Apache-2.0
// Only root may be able to change a program that root runs for every container: its directory, each parent directory
// and each symbolic link in the path are checked (like OpenSSH's StrictModes, auth.c safe_path).

import { lstatSync, type Stats } from "node:fs";
import { err, ok, type Result } from "@rthooks/result";
import { walkInRoot } from "@rthooks/runtime-config/files";

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

export interface UnsafeStep {
  /** The path itself, or a directory or link in it. */
  readonly step: string;
  readonly problem: string;
}

/** The first directory or link of the path that users other than root can change; only existing ones are checked. */
export function findUnsafeStep(root: string, path: string): UnsafeStep | undefined {
  const steps: { readonly path: string; readonly stat: Stats }[] = [];
  walkInRoot(root, path, (at, stat) => void steps.push({ path: at, stat }));
  const last = steps.length - 1;
  for (const [at, { path: step, stat }] of steps.entries()) {
    const problem = stat.isSymbolicLink() ? findOwner(stat) : findProblem(stat, at < last);
    if (problem !== undefined) return { step, problem };
  }
  return undefined;
}

/** The error is one line with the path and the remedy. */
export function checkSafePath(root: string, path: string): Result<void, string> {
  const found = findUnsafeStep(root, path);
  if (found === undefined) return ok(undefined);
  const { step, problem } = found;
  const what = step === path ? path : `${path}: ${step}`;
  return err(
    `${what} ${problem}: other users could replace a program that root runs for every container; ` +
      `choose another directory, or run \`chown root:root ${step} && chmod go-w ${step}\``,
  );
}

/** In a parent directory the sticky bit is enough: others cannot replace a file of root there. */
function findProblem(stat: Stats, isAbove: boolean): string | undefined {
  const isWritable = (stat.mode & WRITABLE_BY_OTHERS) !== 0;
  if (isWritable && !(isAbove && (stat.mode & STICKY) !== 0)) {
    return `is writable by others (mode ${(stat.mode & 0o7777).toString(8).padStart(4, "0")})`;
  }
  return findOwner(stat);
}

const findOwner = ({ uid }: Stats): string | undefined =>
  isTrusted(uid) ? undefined : `belongs to user ${uid}`;

/** Root, and the user of this process: a rootless podman runs hooks as that user. */
const isTrusted = (uid: number): boolean => uid === 0 || uid === process.geteuid?.();

/** An installed file that only its trusted owner can change. */
export const isSafeFile = (path: string): boolean => isSafe(path, (stat) => stat.isFile());

export const isSafeDirectory = (path: string): boolean => isSafe(path, (stat) => stat.isDirectory());

function isSafe(path: string, isKind: (stat: Stats) => boolean): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat !== undefined && isKind(stat) && isTrusted(stat.uid) && (stat.mode & WRITABLE_BY_OTHERS) === 0;
}
