// SPDX-License-Identifier: Apache-2.0
// Runs a program as on the host: with the host's root directory, hence its C library, and a minimal environment.

import { err, ok, type Result } from "@rthooks/result";
import { changeRoot } from "@rthooks/sys/change-root";

/** A hidden command with which this program runs itself, because a process cannot leave a chroot(2). */
export const RUN_IN_ROOT = "run-in-root";

const LIMIT_MS = 15_000;

export interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const environment = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };

/** `command[0]` is a path in `root`. The error is the reason why the program could not be started. */
export async function runInRoot(root: string, command: readonly string[]): Promise<Result<Ran, string>> {
  const argv = root === "/" ? [...command] : [process.execPath, RUN_IN_ROOT, root, ...command];
  try {
    const child = Bun.spawn(argv, {
      env: environment,
      cwd: "/",
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: LIMIT_MS,
      killSignal: "SIGKILL",
    });
    const [stdout, stderr] = await Promise.all([readSome(child.stdout), readSome(child.stderr)]);
    await child.exited;
    if (child.exitCode === CANNOT_START) return err(stderr.trim());
    return ok({ exitCode: child.exitCode, stdout, stderr });
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

/** A shell's exit code for a program that cannot be started. */
const CANNOT_START = 126;

/** The hidden command itself. */
export async function enterRootAndRun([root = "", ...command]: readonly string[]): Promise<number> {
  if (!changeRoot(root).ok) {
    process.stderr.write(`cannot chroot to ${root}: run this program as root\n`);
    return CANNOT_START;
  }
  process.chdir("/");
  try {
    const child = Bun.spawn([...command], {
      env: environment,
      // Inherited, so that /dev is not needed in the new root.
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
      timeout: LIMIT_MS,
      killSignal: "SIGKILL",
    });
    await child.exited;
    return child.exitCode ?? 1;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return CANNOT_START;
  }
}

const MAX_OUTPUT = 1024 * 1024;

async function readSome(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of stream) {
    if (text.length < MAX_OUTPUT) text += decoder.decode(piece, { stream: true });
  }
  return text;
}
