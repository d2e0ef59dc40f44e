// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { ok, type Result } from "@rthooks/result";
import type { SysError } from "./errno.ts";
import { openSyscalls } from "./syscall.ts";

export interface MappedMemory {
  /** Not to be accessed after close(), also by another view of it: that would end the process. */
  readonly memory: ArrayBuffer;
  close(): void;
}

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;

/** Maps a part of an open file. `offset` is a multiple of the page size. */
export function mapMemory(
  fd: number,
  {
    offset,
    length,
    isWritable,
  }: { readonly offset: number; readonly length: number; readonly isWritable: boolean },
): Result<MappedMemory, SysError> {
  const sys = openSyscalls();
  const protection = isWritable ? PROT_READ | PROT_WRITE : PROT_READ;
  const mapped = sys.call("mmap", `descriptor ${fd}`, 0, length, protection, MAP_SHARED, fd, offset);
  if (!mapped.ok) return mapped;
  return ok({
    memory: sys.memoryAt(mapped.value, length),
    close: () => void sys.call("munmap", "", mapped.value, length),
  });
}

const AT_PAGESZ = 6n;
const COMMON_PAGE_BYTES = 4_096;

/** Of this kernel: arm64 has kernels with 4, 16 and 64 KiB. */
export function readPageBytes(): number {
  const entries = readFileSync("/proc/self/auxv");
  const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
  for (let at = 0; at + 16 <= view.byteLength; at += 16) {
    if (view.getBigUint64(at, true) === AT_PAGESZ) return Number(view.getBigUint64(at + 8, true));
  }
  return COMMON_PAGE_BYTES;
}
