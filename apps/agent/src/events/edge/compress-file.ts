// SPDX-License-Identifier: Apache-2.0

import { createReadStream, createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

/** Of the file while it is written. */
export const stagedSuffix = ".gz.tmp";

/** Puts `FILE.gz` into the place of the file, or leaves it as it is. The work is done in another thread. */
export async function compressFile(path: string, mode: number): Promise<void> {
  const staged = `${path}${stagedSuffix}`;
  await rm(staged, { force: true });
  try {
    await pipeline(createReadStream(path), createGzip(), createWriteStream(staged, { flags: "wx", mode }));
    await rename(staged, `${path}.gz`);
    await rm(path, { force: true });
  } catch (error) {
    await rm(staged, { force: true });
    throw error;
  }
}
