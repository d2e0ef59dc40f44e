// SPDX-License-Identifier: Apache-2.0
// A copy of the GNU C library for hosts without a suitable one (musl, distroless, too old): the loader and the four
// libraries that a compiled Bun program needs, from a directory or from the C library of this process.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm, rmdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { err, ok, type Result } from "@rthooks/result";
import { stageCopy } from "@rthooks/sys/atomic-file";
import { orThrow, type PublishedFile, publishUndoable, removeLeftovers } from "./place-file.ts";
import { isSafeDirectory, isSafeFile } from "./safe-path.ts";

const LOADER = /^ld-linux[a-z0-9-]*\.so\.\d+$/;
const LIBRARIES = ["libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2"];

export interface LibcSource {
  readonly loader: string;
  readonly libraries: readonly string[];
  /** Of the contents. It is part of the installed names, so that two C libraries never mix. */
  readonly digest: string;
}

export async function findLibc(directory: string): Promise<Result<LibcSource, string>> {
  const from = directory === "" ? findOwnDirectory() : ok(directory);
  if (!from.ok) return from;
  const names = await readdir(from.value).catch((): string[] => []);
  const loader = names.find((name) => LOADER.test(name));
  const missing = LIBRARIES.filter((name) => !names.includes(name));
  if (loader === undefined || missing.length > 0) {
    const what = [...(loader === undefined ? ["ld-linux-*.so.*"] : []), ...missing].join(", ");
    return err(`${from.value} does not contain ${what}: set --libc-dir to a directory with these files`);
  }
  const paths = [loader, ...LIBRARIES].map((name) => join(from.value, name));
  const hash = createHash("sha256");
  for (const path of paths) hash.update(await readFile(path));
  const [loaderPath = "", ...libraries] = paths;
  return ok({ loader: loaderPath, libraries, digest: hash.digest("hex").slice(0, 12) });
}

/** The directory of the C library of this process (proc(5), maps). */
function findOwnDirectory(): Result<string, string> {
  const line = readFileSync("/proc/self/maps", "utf8")
    .split("\n")
    .find((text) => text.endsWith("/libc.so.6"));
  const path = line?.slice(line.indexOf("/"));
  return path === undefined || !existsSync(path)
    ? err("cannot find the GNU C library that this program runs on: set --libc-dir")
    : ok(path.slice(0, path.lastIndexOf("/")));
}

const loaderName = (digest: string): string => `ld-linux-${digest}.so`;
const libraryDir = (digest: string): string => `lib-${digest}`;

/** The digests of the installed C libraries, from the file names of an install directory. */
export const findLibcs = (names: readonly string[]): readonly string[] =>
  names.flatMap((name) => /^ld-linux-([0-9a-f]{12})\.so$/.exec(name)?.[1] ?? []);

/**
 * The words before a program that run it with this C library. `directory`: the install directory as the host sees it.
 */
export const toLibcPrefix = (digest: string, directory: string): readonly string[] => [
  join(directory, loaderName(digest)),
  "--library-path",
  join(directory, libraryDir(digest)),
];

interface InstalledLibc {
  readonly published: readonly PublishedFile[];
  readonly files: readonly string[];
}

/**
 * The loader is beside the hook, so that /proc/self/exe still names the hook's directory. Needs the lock of `localDir`.
 */
export async function installLibc(
  { loader, libraries, digest }: LibcSource,
  localDir: string,
): Promise<InstalledLibc> {
  const directory = join(localDir, libraryDir(digest));
  // The owner of a directory could replace the files in it.
  if (!isSafeDirectory(directory)) await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o755 });
  removeLeftovers(directory);
  const published: PublishedFile[] = [];
  const files: string[] = [];
  const place = async (source: string, path: string, mode: number): Promise<void> => {
    files.push(path);
    if (isSafeFile(path) && (await isSameFile(source, path))) return;
    published.push(publishUndoable(orThrow(await stageCopy(source, path, { mode }))));
  };
  for (const library of libraries) await place(library, join(directory, basename(library)), 0o644);
  await place(loader, join(localDir, loaderName(digest)), 0o755);
  const removeDirectory = async (): Promise<void> => void (await rmdir(directory).catch(() => {}));
  // Last in the list: the directory is removed after its files.
  return { published: [...published, { undo: removeDirectory, settle: async () => {} }], files };
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  return (await readFile(one)).equals(await readFile(other));
}

/** Removes the installed C libraries for whose loader `isInUse` is false. */
export async function removeLibcs(
  localDir: string,
  isInUse: (loaderPath: string) => Promise<boolean> = async () => false,
): Promise<void> {
  for (const name of await readdir(localDir).catch((): string[] => [])) {
    const digest = /^(?:ld-linux-([0-9a-f]{12})\.so|lib-([0-9a-f]{12}))$/.exec(name);
    const found = digest?.[1] ?? digest?.[2];
    if (found === undefined || (await isInUse(join(localDir, loaderName(found))))) continue;
    await rm(join(localDir, name), { recursive: true, force: true });
  }
}
