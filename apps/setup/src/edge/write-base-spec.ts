// SPDX-License-Identifier: Apache-2.0
// The file that containerd's base_runtime_spec names. containerd reads it at its start and gives up its CRI service
// if it cannot: it comes to its place whole, and removing the hook leaves it there.

import { mkdir, readFile, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { addHook, removeHook, toNeutralBase } from "../core/base-spec.ts";
import type { HookEntry } from "../core/hook-entry.ts";
import { lockDirectories } from "./install/lock-directories.ts";
import { stageText } from "./install/place-file.ts";
import { runInRoot } from "./install/run-in-root.ts";
import { checkSafePath } from "./install/safe-path.ts";

export interface BaseSpecOptions {
  readonly path: string;
  readonly entry: HookEntry;
  /** A base of the operator's, taken as it is, instead of what lies at `path` or comes from ctr. */
  readonly fromSpec?: string;
  /** containerd's client in `root`; looked for where distributions have it if not given. */
  readonly ctr?: string;
  /** The host's root directory. */
  readonly root?: string;
  /** Only says whether something would change. */
  readonly dryRun?: boolean;
}

export interface WrittenBaseSpec {
  readonly changed: boolean;
}

/** The error is one line that names the file. */
export async function writeBaseSpec(options: BaseSpecOptions): Promise<Result<WrittenBaseSpec, string>> {
  const { fromSpec, entry, dryRun = false } = options;
  const path = await toTarget(options.path);
  const existing = await readSpec(path);
  if (!existing.ok) return existing;
  const base = fromSpec === undefined ? await findBase(existing.value, options) : await readGiven(fromSpec);
  if (!base.ok) return base;
  const text = addHook(base.value, entry);
  if (!text.ok) return err(`${fromSpec ?? path} ${text.error}`);
  return write(path, existing.value, text.value, dryRun);
}

/** A file that is not there has no hook in it: that is no error. */
export async function removeFromBaseSpec(options: {
  readonly path: string;
  /** The hook's file name. */
  readonly binaryName: string;
  readonly dryRun?: boolean;
}): Promise<Result<WrittenBaseSpec, string>> {
  const path = await toTarget(options.path);
  const existing = await readSpec(path);
  if (!existing.ok) return existing;
  if (existing.value === undefined) return ok({ changed: false });
  const text = removeHook(existing.value, options.binaryName);
  if (!text.ok) return err(`${path} ${text.error}`);
  return write(path, existing.value, text.value, options.dryRun ?? false);
}

/** A link that an operator has made stays one. */
const toTarget = (path: string): Promise<string> => realpath(path).catch(() => path);

const MAX_BYTES = 4 * 1024 * 1024;

/** Undefined where no file is. */
async function readSpec(path: string): Promise<Result<string | undefined, string>> {
  try {
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) return ok(undefined);
    if (!found.isFile()) return err(`${path} is not a regular file`);
    if (found.size > MAX_BYTES) return err(`${path} is larger than 4 MiB`);
    return ok(await readFile(path, "utf8"));
  } catch (error) {
    return err(`cannot read ${path}: ${describeError(error)}`);
  }
}

async function readGiven(path: string): Promise<Result<string, string>> {
  const text = await readSpec(path);
  if (!text.ok) return text;
  return text.value === undefined ? err(`${path}: no such file`) : ok(text.value);
}

async function findBase(
  existing: string | undefined,
  { root = "/", ctr }: BaseSpecOptions,
): Promise<Result<string, string>> {
  if (existing !== undefined) return ok(existing);
  const places = ctr === undefined ? usualPlaces : [ctr];
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

/** Packages, containerd's own archive, k3s, RKE2, microk8s. */
const usualPlaces = [
  "/usr/bin/ctr",
  "/usr/local/bin/ctr",
  "/opt/bin/ctr",
  "/var/lib/rancher/rke2/bin/ctr",
  "/var/lib/rancher/k3s/data/current/bin/ctr",
  "/snap/microk8s/current/bin/ctr",
] as const; // const: none of them is ever changed

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
      await (await (await stageText(text, path, access)).publish()).settle();
    } finally {
      await locks.value.release();
    }
    return ok({ changed });
  } catch (error) {
    return err(`cannot write ${path}: ${describeError(error)}`);
  }
}
