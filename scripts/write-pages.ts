// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir } from "node:fs/promises";
import { join, relative } from "node:path";

const root = join(import.meta.dir, "..");

/** Writes one file, as `writePages` those of a folder. */
export async function writePage(name: string, text: string, target: string): Promise<void> {
  const path = join(root, name);
  const file = Bun.file(path);
  if ((await file.exists()) && (await file.text()) === text) return;
  if (process.argv[2] !== "--check") {
    await Bun.write(path, text);
    return;
  }
  console.error(`${name} is out of date\n${target} writes it again`);
  process.exit(1);
}

/**
 * Writes the pages, by file name, into the folder (a path below the repository's root). With `--check` as the program's
 * argument it writes nothing and ends the process with 1 where a file differs. A file that is not among the pages fails too.
 */
export async function writePages(
  folderName: string,
  pages: ReadonlyMap<string, string>,
  target: string,
): Promise<void> {
  const folder = join(root, folderName);
  const isCheck = process.argv[2] === "--check";
  const stale: string[] = [];
  await mkdir(folder, { recursive: true });
  for (const [name, text] of pages) {
    const path = join(folder, name);
    const file = Bun.file(path);
    if ((await file.exists()) && (await file.text()) === text) continue;
    if (isCheck) stale.push(`${relative(root, path)} is out of date`);
    else await Bun.write(path, text);
  }
  for (const name of await readdir(folder)) {
    if (!pages.has(name)) stale.push(`${folderName}/${name} is not among the generated files`);
  }
  if (stale.length === 0) return;
  console.error(`${stale.join("\n")}\n${target} writes the files again`);
  process.exit(1);
}
