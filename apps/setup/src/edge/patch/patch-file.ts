// SPDX-License-Identifier: Apache-2.0
// A configuration file and those that decide with it, read, changed and given where the flags say. Nothing is written
// unless the whole change is known to be right; what is written comes whole.

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, realpath, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { flag } from "@rthooks/flags";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { renderTomlError } from "@rthooks/toml";
import { createTwoFilesPatch } from "diff";
import { exitCode, type Io } from "../../core/command.ts";
import { BACKUP_SUFFIX, type FileChange, type FilePlan, type PatchError } from "../../core/patch.ts";
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
  create: flag.boolean({
    usage: "with --in-place, where there is no such file: make it of what `containerd config default` prints",
  }),
  "host-root": flag.string({
    usage:
      "the host's root file system as this program sees it: files that are named by the configuration are there",
    default: "/",
    placeholder: "DIR",
  }),
  "containerd-version": flag.string({
    usage:
      "of the node, such as 2.2.0: its rules say which of several files decides; needed by --require-plugin",
    placeholder: "VERSION",
  }),
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
  /** Of the file's text; undefined where there is none, and none is needed. */
  plan(text: string | undefined): Result<FilePlan, PatchError>;
  /** For a file that is not there: the text that it is to have before the change. Undefined: it has to be there. */
  make?(): Promise<Result<string | undefined, string> | undefined>;
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
  const isMissing = text.value === undefined;
  const made = isMissing ? await task.make?.() : undefined;
  if (isMissing && made === undefined) return fail(io, `${path}: no such file`);
  if (made?.ok === false) return fail(io, made.error);
  const planned = task.plan(text.value ?? made?.value);
  if (!planned.ok) return failToPatch(io, planned.error);
  const { notes } = planned.value;
  const changes =
    made?.value === undefined ? planned.value.changes : asNew(path, made.value, planned.value.changes);
  for (const note of notes) io.log.warn(note, { path });
  const elsewhere = changes.filter((change) => change.path !== path).map((change) => change.path);
  const dryRun = diff || check;
  if (elsewhere.length > 0 && !dryRun && !inPlace) {
    return fail(io, `${path}: the change belongs into ${elsewhere.join(", ")}: --in-place makes it there`);
  }
  const prepared = await (task.prepare?.(dryRun) ?? ok({ changed: false }));
  if (!prepared.ok) return fail(io, prepared.error);
  if (diff) for (const change of changes) io.stdout(renderDiff(change));
  if (dryRun) {
    return check && (changes.length > 0 || prepared.value.changed) ? exitCode.changeNeeded : exitCode.ok;
  }
  const [first] = changes;
  if (first === undefined) {
    io.log.info("nothing to do", { path });
    return exitCode.ok;
  }
  if (output === "-") {
    io.stdout(first.after);
    return exitCode.ok;
  }
  for (const change of changes) {
    const written = inPlace ? await replaceFile(change) : await writeNew(output, change.after);
    if (!written.ok) return fail(io, written.error);
    io.log.info("written", written.value);
  }
  if (inPlace) io.log.info("restart the runtime for it to take effect");
  return exitCode.ok;
}

/** The whole of a file that is made is a change. */
function asNew(path: string, text: string, changes: readonly FileChange[]): readonly FileChange[] {
  const after = changes.find((change) => change.path === path)?.after ?? text;
  return [{ path, before: undefined, after }, ...changes.filter((change) => change.path !== path)];
}

async function fail(io: Io, message: string): Promise<number> {
  io.log.error(message);
  return exitCode.failed;
}

async function failToPatch(io: Io, failure: PatchError): Promise<number> {
  if (failure.kind === "refused") return fail(io, `${failure.path}: ${failure.message}`);
  io.log.error(`${failure.path}: ${renderTomlError(failure.error)}`);
  await io.log.drain();
  io.stderr(`${failure.error.excerpt}\n`);
  return exitCode.failed;
}

const MAX_BYTES = 4 * 1024 * 1024;

/** Undefined where no file is. */
async function readConfig(path: string): Promise<Result<string | undefined, string>> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return err(`${path} is no file`);
    if (found.size > MAX_BYTES) return err(`${path} is larger than 4 MiB: no configuration is`);
    return ok(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await readFile(path)));
  } catch (error) {
    if (error instanceof TypeError) return err(`${path} is not UTF-8, so it is no TOML`);
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return ok(undefined);
    return err(describeFileError(error, path));
  }
}

function renderDiff({ path, before = "", after }: FileChange): string {
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
async function replaceFile({ path: given, before, after, backupDirectory }: FileChange): Promise<Written> {
  try {
    if (before === undefined) await mkdir(dirname(given), { recursive: true, mode: 0o755 });
    const path = before === undefined ? given : await realpath(given);
    const locks = await lockDirectories([{ path: dirname(path) }]);
    if (!locks.ok) return locks;
    try {
      const now = await readConfig(path);
      if (!now.ok) return now;
      if (now.value !== before) {
        return err(`${path} was changed by another program meanwhile: nothing was written, run this again`);
      }
      if (before === undefined) {
        await (await (await stageText(after, path, { mode: 0o644 })).publish()).settle();
        return ok({ path });
      }
      const { mode, uid, gid } = await stat(path);
      const access = { mode: mode & 0o7777, uid, gid };
      const directory = backupDirectory ?? dirname(path);
      await mkdir(directory, { recursive: true, mode: 0o755 });
      const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
      const backup = findFree(join(directory, `${basename(path)}${BACKUP_SUFFIX}${time}`));
      await (await (await stageText(before, backup, access)).publish()).settle();
      await (await (await stageText(after, path, access)).publish()).settle();
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
