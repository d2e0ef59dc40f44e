// SPDX-License-Identifier: Apache-2.0
// Writes the base spec. containerd reads it at its start, and its CRI service fails if it cannot: the file is written
// as a whole, and removing the hook does not remove the file.

import { mkdir, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { addHook, removeHook, toNeutralBase } from "../../core/base-spec.ts";
import type { HookEntry } from "../../core/hook-entry.ts";
import { lockDirectories } from "../install/lock-directories.ts";
import { placeText } from "../install/place-file.ts";
import { runInRoot } from "../install/run-in-root.ts";
import { checkSafePath } from "../install/safe-path.ts";
import { readText } from "./read-text.ts";

export interface BaseSpecOptions {
  readonly path: string;
  readonly entry: HookEntry;
  /** An OCI spec to start from, instead of the file at `path` or the output of ctr. */
  readonly fromSpec?: string;
  /** Path of ctr in `root`; searched in the usual directories if undefined. */
  readonly ctr?: string;
  /** The host's root directory. */
  readonly root?: string;
  /** Only reports whether something would change. */
  readonly dryRun?: boolean;
}

export interface WrittenBaseSpec {
  readonly changed: boolean;
}

/** Writes the base spec with the hook. The error is one line with the path. */
export async function writeBaseSpec(options: BaseSpecOptions): Promise<Result<WrittenBaseSpec, string>> {
  const { fromSpec, entry, dryRun = false } = options;
  const path = await toTarget(options.path);
  const existing = await readText(path);
  if (!existing.ok) return existing;
  const base = fromSpec === undefined ? await findBase(existing.value, options) : await readGiven(fromSpec);
  if (!base.ok) return base;
  const text = addHook(base.value, entry);
  if (!text.ok) return err(`${fromSpec ?? path} ${text.error}`);
  return write(path, existing.value, text.value, dryRun);
}

/** Removes the hook from the base spec; a missing file is unchanged. */
export async function removeFromBaseSpec(options: {
  readonly path: string;
  /** The hook's file name. */
  readonly binaryName: string;
  readonly dryRun?: boolean;
}): Promise<Result<WrittenBaseSpec, string>> {
  const path = await toTarget(options.path);
  const existing = await readText(path);
  if (!existing.ok) return existing;
  if (existing.value === undefined) return ok({ changed: false });
  const text = removeHook(existing.value, options.binaryName);
  if (!text.ok) return err(`${path} ${text.error}`);
  return write(path, existing.value, text.value, options.dryRun ?? false);
}

/** A symbolic link stays: its target is written. */
const toTarget = (path: string): Promise<string> => realpath(path).catch(() => path);

async function readGiven(path: string): Promise<Result<string, string>> {
  const text = await readText(path);
  if (!text.ok) return text;
  return text.value === undefined ? err(`${path}: no such file`) : ok(text.value);
}

async function findBase(
  existing: string | undefined,
  { root = "/", ctr }: BaseSpecOptions,
): Promise<Result<string, string>> {
  if (existing !== undefined) return ok(existing);
  const places = ctr === undefined ? usualPaths : [ctr];
  for (const place of places) {
    const ran = await runInRoot(root, [place, "oci", "spec"]);
    if (!ran.ok || ran.value.exitCode !== 0) continue;
    const base = toNeutralBase(ran.value.stdout);
    return base.ok ? base : err(`the output of \`${place} oci spec\` ${base.error}`);
  }
  const tried = ctr ?? "ctr";
  return err(
    `\`${tried} oci spec\` printed no OCI spec: write the output of containerd's own ctr to a file and pass it with --from-spec`,
  );
}

/** Of packages, containerd's release archive, RKE2, k3s and MicroK8s. */
const usualPaths = [
  "/usr/bin/ctr",
  "/usr/local/bin/ctr",
  "/opt/bin/ctr",
  "/var/lib/rancher/rke2/bin/ctr",
  "/var/lib/rancher/k3s/data/current/bin/ctr",
  "/snap/microk8s/current/bin/ctr",
] as const; // const: never changed

const NEW_FILE_MODE = 0o644;

async function write(
  path: string,
  existing: string | undefined,
  text: string,
  dryRun: boolean,
): Promise<Result<WrittenBaseSpec, string>> {
  const changed = text !== existing;
  if (dryRun || !changed) return ok({ changed });
  const directory = dirname(path);
  const isSafe = checkSafePath("/", directory);
  if (!isSafe.ok) return isSafe;
  try {
    await mkdir(directory, { recursive: true, mode: 0o755 });
    const locks = await lockDirectories([{ path: directory }]);
    if (!locks.ok) return locks;
    try {
      const found = await stat(path).catch(() => undefined);
      const access =
        found === undefined
          ? { mode: NEW_FILE_MODE }
          : { mode: found.mode & 0o7777, owner: { uid: found.uid, gid: found.gid } };
      placeText(path, text, access);
    } finally {
      await locks.value.release();
    }
    return ok({ changed });
  } catch (error) {
    return err(`cannot write ${path}: ${describeError(error)}`);
  }
}
