// SPDX-License-Identifier: Apache-2.0

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { readSmallFile } from "@rthooks/sys/small-file";
import type { Setting } from "../core/setting.ts";

export interface ConfigDirectory {
  readonly settings: readonly Setting[];
  /** Paths of files that are named after no flag. They are not read. */
  readonly others: readonly string[];
}

/** Of a ConfigMap with all of its keys. */
const MAX_BYTES = 1024 * 1024;

/**
 * One file for each flag, named after it; space around the value is removed. Directories and hidden files are skipped: the
 * kubelet mounts a ConfigMap as links to files below `..data`, which is a link to a directory. The error is one line that
 * names the file.
 */
export async function readConfigDirectory(
  path: string,
  isFlag: (name: string) => boolean,
): Promise<Result<ConfigDirectory, string>> {
  const settings: Setting[] = [];
  const others: string[] = [];
  let entries: readonly string[];
  try {
    entries = await readdir(path);
  } catch (error) {
    return err(`--config-dir: ${describeError(error)}`);
  }
  for (const entry of [...entries].sort()) {
    const origin = join(path, entry);
    // viper's keys have no case.
    const name = entry.toLowerCase();
    if (entry.startsWith(".") || (await isDirectory(origin))) continue;
    if (!isFlag(name)) {
      others.push(origin);
      continue;
    }
    const bytes = await readSmallFile(origin, MAX_BYTES);
    if (!bytes.ok) return bytes;
    const text = decode(bytes.value);
    if (text === undefined) return err(`${origin} is not a text in UTF-8`);
    settings.push({ name, text: text.trim(), origin });
  }
  return ok({ settings, others });
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    // Reading it says what is wrong with it.
    return false;
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
