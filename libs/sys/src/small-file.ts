// SPDX-License-Identifier: Apache-2.0

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { describeError, err, ok, type Result } from "@rthooks/result";

/** Reads a regular file whole; symbolic links are followed. The error is one line that names the file. */
export async function readSmallFile(path: string, maxBytes: number): Promise<Result<Buffer, string>> {
  let file: FileHandle | undefined;
  try {
    // Opening a pipe would wait for a writer.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) return err(`${path} is not a regular file`);
    if (stats.size > maxBytes) return err(`${path} has ${stats.size} bytes, more than ${maxBytes}`);
    // One byte more, so that a file that has grown is found.
    const bytes = Buffer.alloc(Number(stats.size) + 1);
    let length = 0;
    for (let read = 1; read > 0 && length < bytes.length; length += read) {
      ({ bytesRead: read } = await file.read(bytes, length, bytes.length - length, length));
    }
    return length > stats.size ? err(`${path} is being written`) : ok(bytes.subarray(0, length));
  } catch (error) {
    return err(`cannot read ${path}: ${describeError(error).replace(/, [a-z]+ '.*$/, "")}`);
  } finally {
    await file?.close();
  }
}
