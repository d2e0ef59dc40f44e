// SPDX-License-Identifier: Apache-2.0
// Reads a recording from a file, which may be compressed (gzip).

import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describeError, err, ok, type Result } from "@rthooks/result";
import type { Recording } from "../core/recording.ts";
import { parseRecording } from "../wire/parse-recording.ts";

const maxFileBytes = 64 * 1024 * 1024;
const maxTextBytes = 256 * 1024 * 1024;

/** The error is one line with the path. */
export function readRecording(path: string): Result<Recording, string> {
  const bytes = readBounded(path);
  if (!bytes.ok) return err(`cannot read ${path}: ${bytes.error}`);
  const text = decompress(bytes.value);
  if (!text.ok) return err(`cannot read ${path}: ${text.error}`);
  const recording = parseRecording(text.value);
  return recording.ok ? recording : err(`${path} ${recording.error}`);
}

function readBounded(path: string): Result<Buffer, string> {
  try {
    // Opening a pipe would wait for a writer.
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile()) return err("it is not a regular file");
      if (stats.size > maxFileBytes) return err(`it has more than ${maxFileBytes} bytes`);
      return ok(readFileSync(fd));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return err(describeError(error));
  }
}

function decompress(bytes: Buffer): Result<string, string> {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!isGzip) return ok(bytes.toString("utf8"));
  try {
    return ok(gunzipSync(bytes, { maxOutputLength: maxTextBytes }).toString("utf8"));
  } catch (error) {
    const isTooLarge = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    return err(
      isTooLarge
        ? `it has more than ${maxTextBytes} bytes when decompressed`
        : `gzip: ${describeError(error)}`,
    );
  }
}
