// SPDX-License-Identifier: Apache-2.0
// A configuration file and those that decide with it, read, changed and given where the flags say. Nothing is written
// unless the whole change is known to be right; what is written comes whole.

import { flag } from "@rthooks/flags";
import { ok, type Result } from "@rthooks/result";
import { renderTomlError } from "@rthooks/toml";
import { createTwoFilesPatch } from "diff";
import { exitCode, type Io } from "../../core/command.ts";
import type { FileChange, FilePlan, PatchError } from "../../core/patch.ts";
import { readConfig } from "./config-text.ts";
import { replaceFile, writeNew } from "./write-change.ts";

const common = {
  "in-place": flag.boolean({ usage: "change the file itself and keep a backup copy of it" }),
  diff: flag.boolean({ usage: "print the change as a unified diff; write nothing" }),
  check: flag.boolean({ usage: "write nothing; exit code 3 if a change is needed" }),
} as const;

export const containerdFileFlags = {
  "config-file": flag.string({
    usage: "containerd's configuration file",
    default: "/etc/containerd/config.toml",
    placeholder: "FILE",
  }),
  output: flag.string({
    usage: "file to write the result to, - for standard output (default: a new temporary file)",
    placeholder: "FILE",
  }),
  ...common,
  create: flag.boolean({
    usage: "with --in-place: create a missing file from the output of `containerd config default`",
  }),
  "host-root": flag.string({
    usage: "the host's root directory, as this program sees it; imported files are read there",
    default: "/",
    placeholder: "DIR",
  }),
  "containerd-version": flag.string({
    usage:
      "version of containerd on the node, such as 2.2.0; decides how several files are merged; required by --require-plugin",
    placeholder: "VERSION",
  }),
} as const;

export const crioFileFlags = {
  "config-file": flag.string({
    usage: "CRI-O's configuration file: the main file or a drop-in file",
    default: "/etc/crio/crio.conf",
    placeholder: "FILE",
  }),
  "output-file": flag.string({
    usage: "file to write the result to, - for standard output (default: a new temporary file)",
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
    io.stderr("tetragon-oci-hook-setup: --output, --in-place and --diff or --check cannot be combined\n");
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
    return fail(io, `${path}: the change must be made in ${elsewhere.join(", ")}: use --in-place`);
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
    const written = inPlace ? await replaceFile(change) : await writeNew(output, change);
    if (!written.ok) return fail(io, written.error);
    io.log.info("written", written.value);
  }
  if (inPlace) io.log.info("restart the runtime to apply the change");
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
  if (failure.kind === "rejected") return fail(io, `${failure.path}: ${failure.message}`);
  io.log.error(`${failure.path}: ${renderTomlError(failure.error)}`);
  await io.log.drain();
  io.stderr(`${failure.error.excerpt}\n`);
  return exitCode.failed;
}

function renderDiff({ path, before = "", after }: FileChange): string {
  const patch = createTwoFilesPatch(path, path, before, after, undefined, undefined, { context: 3 });
  // What stands before is not of `diff -u`.
  return patch.slice(patch.indexOf("--- "));
}
