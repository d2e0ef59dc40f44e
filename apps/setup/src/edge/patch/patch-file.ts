// SPDX-License-Identifier: Apache-2.0
// Reads a configuration file and its imports, plans the change, and prints or writes the result. Nothing is written
// unless the plan is complete; each file is written as a whole.

import { ok, type Result } from "@rthooks/result";
import { renderTomlError } from "@rthooks/toml";
import { createTwoFilesPatch } from "diff";
import { exitCode, type Io } from "../../core/command.ts";
import type { FileChange, FilePlan, PatchError } from "../../core/patch.ts";
import { readText } from "./read-text.ts";
import { replaceFile, writeNew } from "./write-change.ts";

export interface FileTask {
  readonly path: string;
  /** The path of --output; empty for a new temporary file. */
  readonly output: string;
  readonly inPlace: boolean;
  readonly diff: boolean;
  readonly check: boolean;
  /** Plans the change of a file with this text; undefined for a missing file that need not exist. */
  plan(text: string | undefined): Result<FilePlan, PatchError>;
  /** For a missing file: the text to start from, or undefined if it need not exist. Without it the file must exist. */
  make?(): Promise<Result<string | undefined, string> | undefined>;
  /** Writes what the changed file refers to; with `dryRun` only reports whether that would change. */
  prepare?(dryRun: boolean): Promise<Result<{ readonly changed: boolean }, string>>;
}

/** Returns the exit code. */
export async function patchFile(task: FileTask, io: Io): Promise<number> {
  const { path, output, inPlace, diff, check } = task;
  if ([output !== "", inPlace, diff || check].filter(Boolean).length > 1) {
    io.stderr("tetragon-oci-hook-setup: --output, --in-place and --diff or --check cannot be combined\n");
    return exitCode.usage;
  }
  const text = await readText(path);
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

/** A created file is a change of its whole text. */
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
  // The lines before the header are not part of `diff -u`.
  return patch.slice(patch.indexOf("--- "));
}
