// SPDX-License-Identifier: Apache-2.0
// The C library that a host lacks (musl, distroless, too old): the loader and the four libraries that a compiled Bun
// program needs, taken from a directory or from what this very program runs on.

import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm, rmdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { err, ok, type Result } from "@rthooks/result";
import { type PublishedFile, removeLeftovers, stageCopy } from "./place-file.ts";
import { isSafeDirectory, isSafeFile } from "./safe-path.ts";

const LOADER = /^ld-linux[a-z0-9-]*\.so\.\d+$/;
const LIBRARIES = ["libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2"];

export interface LibcSource {
  readonly loader: string;
  readonly libraries: readonly string[];
  /** Of the contents: another C library gets other names, so that no hook ever meets half of one. */
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

/** Where the C library of this process lies (proc(5), maps). */
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

/** Digests of those that are installed, by the names in the directory. */
export const findLibcs = (names: readonly string[]): readonly string[] =>
  names.flatMap((name) => /^ld-linux-([0-9a-f]{12})\.so$/.exec(name)?.[1] ?? []);

/** The beginning of the command that runs a program with it, where the installation is seen at `directory`. */
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
 * The loader lies beside the hook: /proc/self/exe then still leads to the hook's directory. The caller has the lock of
 * `localDir`.
 */
export async function installLibc(
  { loader, libraries, digest }: LibcSource,
  localDir: string,
): Promise<InstalledLibc> {
  const directory = join(localDir, libraryDir(digest));
  // Another user's would let that user replace what is in it.
  if (!isSafeDirectory(directory)) await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o755 });
  removeLeftovers(directory);
  const published: PublishedFile[] = [];
  const files: string[] = [];
  const place = async (source: string, path: string, mode: number): Promise<void> => {
    files.push(path);
    if (isSafeFile(path) && (await isSameFile(source, path))) return;
    published.push(await (await stageCopy(source, path, mode)).publish());
  };
  for (const library of libraries) await place(library, join(directory, basename(library)), 0o644);
  await place(loader, join(localDir, loaderName(digest)), 0o755);
  const removeDirectory = async (): Promise<void> => void (await rmdir(directory).catch(() => {}));
  // Last in the list, so that it is undone when it is empty again.
  return { published: [...published, { undo: removeDirectory, settle: async () => {} }], files };
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  return (await readFile(one)).equals(await readFile(other));
}

/** All that were ever installed there, but those that `isInUse` names by their loader. */
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
