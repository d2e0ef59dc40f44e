// SPDX-License-Identifier: Apache-2.0
// Where in a file that exists already the lines begin that are still of interest.

import type { FileHandle } from "node:fs/promises";

export interface Tail {
  /** How much of the file's end is read at most; infinity for all. */
  readonly bytes: number;
  /** How many lines at most. A line without its newline is not counted: it has not ended. */
  readonly lines?: number;
}

interface TailStart {
  readonly offset: number;
  /** The text there is the rest of a line whose beginning is not read. */
  readonly isWithinLine: boolean;
}

const newline = 0x0a;

/** `size`: of the file, in bytes. Reads `bytes` at most. */
export async function findTailStart(
  file: FileHandle,
  size: number,
  { bytes, lines }: Tail,
): Promise<TailStart> {
  const from = Math.max(0, size - bytes);
  const start = lines === undefined ? 0 : findLastLines(await readAt(file, from, size - from), lines);
  const offset = from + start;
  const [before = newline] = offset === 0 ? [] : await readAt(file, offset - 1, 1);
  return { offset, isWithinLine: before !== newline };
}

/** Where the last `count` lines of the text begin, or the text itself where it has fewer. */
function findLastLines(text: Uint8Array, count: number): number {
  let end = text.lastIndexOf(newline);
  for (let found = 0; found < count && end !== -1; found++) {
    end = end === 0 ? -1 : text.lastIndexOf(newline, end - 1);
  }
  return end + 1;
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes.subarray(0, done);
}
