// SPDX-License-Identifier: Apache-2.0
// Reads an open log file from where the last read ended. A file that is shorter now was emptied, and is read from its start.

import type { BigIntStats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { createLineCutter } from "../core/line-cutter.ts";
import { findTailStart, type Tail } from "./tail-start.ts";

export interface LogReader {
  /** Of the file, whatever its name is: no other file has it while this one is open. */
  readonly id: string;
  /** Hands over the lines that have ended since. True if there is more to read. */
  read(): Promise<boolean>;
  close(): Promise<void>;
}

export interface LogReaderOptions {
  /** The line that begins before that is left out. */
  readonly tail: Tail;
  /** Longer lines are left out. */
  readonly maxLineBytes: number;
  /** Without its newline; valid until it returns. */
  onLine(line: Uint8Array): void;
  /** A line was left out. */
  onTooLong?(): void;
}

const CHUNK_BYTES = 64 * 1024;
/** Between two looks at the path. */
const MAX_BYTES_AT_ONCE = 8 * 1024 * 1024;

export const toFileId = ({ dev, ino }: Pick<BigIntStats, "dev" | "ino">): string => `${dev} ${ino}`;

export async function openLogReader(
  file: FileHandle,
  stats: BigIntStats,
  { tail, maxLineBytes, onLine, onTooLong }: LogReaderOptions,
): Promise<LogReader> {
  const buffer = new Uint8Array(CHUNK_BYTES);
  const start = await findTailStart(file, Number(stats.size), tail);
  let { offset } = start;
  const cutter = createLineCutter(maxLineBytes, start.isWithinLine, onTooLong);
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
        for (const line of cutter.cut(buffer.subarray(0, bytesRead))) onLine(line);
      }
      return true;
    },
    close: () => file.close(),
  };
}
