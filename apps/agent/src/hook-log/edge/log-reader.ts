// SPDX-License-Identifier: Apache-2.0
// Reads an open log file from where the last read ended. A file that is shorter now was emptied, and is read from its start.

import type { BigIntStats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { createLineCutter } from "../core/line-cutter.ts";

export interface LogReader {
  /** Of the file, whatever its name is: no other file has it while this one is open. */
  readonly id: string;
  /** Hands over the lines that have ended since. True if there is more to read. */
  read(): Promise<boolean>;
  close(): Promise<void>;
}

export interface LogReaderOptions {
  /** How much of the file's end is read; infinity for all. The line that begins before that is left out. */
  readonly tailBytes: number;
  /** Longer lines are left out. */
  readonly maxLineBytes: number;
  /** Bytes that are not UTF-8 are U+FFFD. */
  onLine(line: string): void;
}

const CHUNK_BYTES = 64 * 1024;
/** Between two looks at the path. */
const MAX_BYTES_AT_ONCE = 8 * 1024 * 1024;

export const toFileId = ({ dev, ino }: Pick<BigIntStats, "dev" | "ino">): string => `${dev} ${ino}`;

export function createLogReader(
  file: FileHandle,
  stats: BigIntStats,
  { tailBytes, maxLineBytes, onLine }: LogReaderOptions,
): LogReader {
  const buffer = new Uint8Array(CHUNK_BYTES);
  const decoder = new TextDecoder();
  let offset = Math.max(0, Number(stats.size) - tailBytes);
  const cutter = createLineCutter(maxLineBytes, offset > 0);
  return {
    id: toFileId(stats),
    async read() {
      const { size } = await file.stat();
      if (size < offset) {
        offset = 0;
        cutter.restart();
      }
      for (const end = offset + MAX_BYTES_AT_ONCE; offset < end; ) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
        if (bytesRead === 0) return false;
        offset += bytesRead;
        for (const line of cutter.cut(buffer.subarray(0, bytesRead))) onLine(decoder.decode(line));
      }
      return true;
    },
    close: () => file.close(),
  };
}
