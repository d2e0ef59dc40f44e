// SPDX-License-Identifier: Apache-2.0
// Writes a changed file as a whole, with the mode and owner of the old one, and keeps a backup of the old one.

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, realpath, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { BACKUP_SUFFIX, type FileChange } from "../../core/patch.ts";
import { describeFileError } from "../install/install-error.ts";
import { lockDirectories } from "../install/lock-directories.ts";
import { placeText } from "../install/place-file.ts";
import { readText } from "./read-text.ts";

/** The fields to log; the error is one line. */
type Written = Result<Readonly<Record<string, string>>, string>;

/** Writes another file, with the mode and owner of the source, which may contain passwords. */
export async function writeNew(output: string, { path: source, after }: FileChange): Promise<Written> {
  const path = output || join(await mkdtemp(join(tmpdir(), "tetragon-setup-")), "config.toml");
  try {
    const { mode, uid, gid } = await stat(source);
    const access = { mode: mode & 0o7777, owner: { uid, gid } };
    placeText(path, after, access);
    return ok({ path });
  } catch (error) {
    return err(describeFileError(error, path, "choose another file with --output"));
  }
}

/** Replaces the file; of a symbolic link, its target. */
export async function replaceFile({
  path: given,
  before,
  after,
  backupDirectory,
}: FileChange): Promise<Written> {
  try {
    if (before === undefined) await mkdir(dirname(given), { recursive: true, mode: 0o755 });
    const path = before === undefined ? given : await realpath(given);
    const locks = await lockDirectories([{ path: dirname(path) }]);
    if (!locks.ok) return locks;
    try {
      const now = await readText(path);
      if (!now.ok) return now;
      if (now.value !== before) {
        return err(
          `${path} was changed by another program in the meantime: nothing written, run the command again`,
        );
      }
      if (before === undefined) {
        placeText(path, after, { mode: 0o644 });
        return ok({ path });
      }
      const { mode, uid, gid } = await stat(path);
      const access = { mode: mode & 0o7777, owner: { uid, gid } };
      const directory = backupDirectory ?? dirname(path);
      await mkdir(directory, { recursive: true, mode: 0o755 });
      const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
      const backup = findFree(join(directory, `${basename(path)}${BACKUP_SUFFIX}${time}`));
      placeText(backup, before, access);
      placeText(path, after, access);
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

/** Two changes within a second get two backups. */
function findFree(path: string): string {
  for (let count = 1; ; count++) {
    const free = count === 1 ? path : `${path}-${count}`;
    if (!existsSync(free)) return free;
  }
}
