// SPDX-License-Identifier: Apache-2.0
// One configuration file, read, changed and given where the flags say. Nothing is written unless the change is known
// to be right; what is written comes whole.

import { existsSync } from "node:fs";
import { mkdtemp, readFile, realpath, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { flag } from "@rthooks/flags";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { renderTomlError } from "@rthooks/toml";
import { createTwoFilesPatch } from "diff";
import { exitCode, type Io } from "../../core/command.ts";
import type { Patched } from "../../core/patch.ts";
import type { PatchError } from "../../core/patch-containerd.ts";
import { describeFileError } from "../install/install-error.ts";
import { lockDirectories } from "../install/lock-directories.ts";
import { stageText } from "../install/place-file.ts";

const common = {
  "in-place": flag.boolean({ usage: "change the file itself; a copy of the old one is left beside it" }),
  diff: flag.boolean({ usage: "print the change as a unified diff and write nothing" }),
  check: flag.boolean({ usage: "write nothing; exit code 3 if a change is needed" }),
} as const;

export const containerdFileFlags = {
  "config-file": flag.string({
    usage: "containerd's configuration",
    default: "/etc/containerd/config.toml",
    placeholder: "FILE",
  }),
  output: flag.string({
    usage: "where to write the changed file, - for standard output (default: a new temporary file)",
    placeholder: "FILE",
  }),
  ...common,
} as const;

export const crioFileFlags = {
  "config-file": flag.string({
    usage: "CRI-O's configuration, the main file or a drop-in",
    default: "/etc/crio/crio.conf",
    placeholder: "FILE",
  }),
  "output-file": flag.string({
    usage: "where to write the changed file, - for standard output (default: a new temporary file)",
    placeholder: "FILE",
  }),
  ...common,
} as const;

export interface FileTask {
  readonly path: string;
  /** Empty for a new temporary file. */
  readonly output: string;
  readonly inPlace: boolean;
  readonly diff: boolean;
  readonly check: boolean;
  patch(text: string): Result<Patched, PatchError>;
  /** What else has to be in place before the file is, or would have to be; whether that is a change. */
  prepare?(dryRun: boolean): Promise<Result<{ readonly changed: boolean }, string>>;
}

/** Gives the exit code. */
export async function patchFile(task: FileTask, io: Io): Promise<number> {
  const { path, output, inPlace, diff, check } = task;
  if ([output !== "", inPlace, diff || check].filter(Boolean).length > 1) {
    io.stderr("tetragon-oci-hook-setup: --output, --in-place and --diff or --check exclude each other\n");
    return exitCode.usage;
  }
  const text = await readConfig(path);
  if (!text.ok) return fail(io, text.error);
  const patched = task.patch(text.value);
  if (!patched.ok) return failToPatch(io, path, patched.error);
  for (const note of patched.value.notes) io.log.warn(note, { path });
  const dryRun = diff || check;
  const prepared = await (task.prepare?.(dryRun) ?? ok({ changed: false }));
  if (!prepared.ok) return fail(io, prepared.error);
  const isChanged = patched.value.text !== text.value;
  if (diff && isChanged) io.stdout(renderDiff(path, text.value, patched.value.text));
  if (dryRun) return check && (isChanged || prepared.value.changed) ? exitCode.changeNeeded : exitCode.ok;
  if (!isChanged) {
    io.log.info("nothing to do", { path });
    return exitCode.ok;
  }
  if (output === "-") {
    io.stdout(patched.value.text);
    return exitCode.ok;
  }
  const written = inPlace
    ? await replaceFile(path, text.value, patched.value.text)
    : await writeNew(output, patched.value.text);
  if (!written.ok) return fail(io, written.error);
  io.log.info("written", written.value);
  if (inPlace) io.log.info("restart the runtime for it to take effect");
  return exitCode.ok;
}

async function fail(io: Io, message: string): Promise<number> {
  io.log.error(message);
  return exitCode.failed;
}

async function failToPatch(io: Io, path: string, failure: PatchError): Promise<number> {
  if (failure.kind === "refused") return fail(io, `${path}: ${failure.message}`);
  io.log.error(`${path}: ${renderTomlError(failure.error)}`);
  await io.log.drain();
  io.stderr(`${failure.error.excerpt}\n`);
  return exitCode.failed;
}

const MAX_BYTES = 4 * 1024 * 1024;

async function readConfig(path: string): Promise<Result<string, string>> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return err(`${path} is no file`);
    if (found.size > MAX_BYTES) return err(`${path} is larger than 4 MiB: no configuration is`);
    return ok(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await readFile(path)));
  } catch (error) {
    if (error instanceof TypeError) return err(`${path} is not UTF-8, so it is no TOML`);
    return err(describeFileError(error, path));
  }
}

function renderDiff(path: string, before: string, after: string): string {
  const patch = createTwoFilesPatch(path, path, before, after, undefined, undefined, { context: 3 });
  // What stands before is not of `diff -u`.
  return patch.slice(patch.indexOf("--- "));
}

type Written = Result<Readonly<Record<string, string>>, string>;

async function writeNew(output: string, text: string): Promise<Written> {
  const path = output || join(await mkdtemp(join(tmpdir(), "tetragon-setup-")), "config.toml");
  try {
    await (await (await stageText(text, path, { mode: 0o644 })).publish()).settle();
    return ok({ path });
  } catch (error) {
    return err(describeFileError(error, path, "choose another file with --output"));
  }
}

/** Of a link its target: a link that an operator made stays one. */
async function replaceFile(given: string, before: string, text: string): Promise<Written> {
  try {
    const path = await realpath(given);
    const locks = await lockDirectories([{ path: dirname(path) }]);
    if (!locks.ok) return locks;
    try {
      const { mode, uid, gid } = await stat(path);
      const access = { mode: mode & 0o7777, uid, gid };
      const now = await readConfig(path);
      if (!now.ok) return now;
      if (now.value !== before) {
        return err(`${path} was changed by another program meanwhile: nothing was written, run this again`);
      }
      const backup = findFree(`${path}.tetragon-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "")}`);
      await (await (await stageText(before, backup, access)).publish()).settle();
      await (await (await stageText(text, path, access)).publish()).settle();
      return ok({ path, backup });
    } finally {
      await locks.value.release();
    }
  } catch (error) {
    return err(
      error instanceof Error && "code" in error ? describeFileError(error, given) : describeError(error),
    );
  }
}

/** Two changes in one second: each has its own copy of what was there before. */
function findFree(path: string): string {
  for (let count = 1; ; count++) {
    const free = count === 1 ? path : `${path}-${count}`;
    if (!existsSync(free)) return free;
  }
}
