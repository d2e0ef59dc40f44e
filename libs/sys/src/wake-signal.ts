// SPDX-License-Identifier: Apache-2.0
// Waits for files, and for a signal of another thread of this process.

import { ok, type Result } from "@rthooks/result";
import { TIMESPEC_BYTES } from "./bytes.ts";
import type { SysError } from "./errno.ts";
import { openSyscalls } from "./syscall.ts";

export interface WakeSignal {
  /** For createFileWait in another thread. */
  readonly fd: number;
  /** Does nothing after close(). */
  send(): void;
  /** Call it when no thread uses the descriptor any more: another file may get its number. */
  close(): void;
}

// EFD_CLOEXEC | EFD_NONBLOCK
const EVENT_FILE_FLAGS = 0o2004000;

export function openWakeSignal(): Result<WakeSignal, SysError> {
  const sys = openSyscalls();
  const fd = sys.call("eventfd2", "", 0, EVENT_FILE_FLAGS);
  if (!fd.ok) return fd;
  const one = new Uint8Array(BigUint64Array.of(1n).buffer);
  let isOpen = true;
  return ok({
    fd: fd.value,
    send() {
      if (isOpen) sys.call("write", "", fd.value, one, one.length);
    },
    close() {
      if (isOpen) sys.call("close", "", fd.value);
      isOpen = false;
    },
  });
}

/** Takes back what was sent. */
export function createSignalReader(fd: number): () => void {
  const sys = openSyscalls();
  const count = new Uint8Array(8);
  return () => void sys.call("read", "", fd, count, count.length);
}

const POLLIN = 1;
const POLL_BYTES = 8;

/** Waits without other work of this thread until one of the files can be read or the time is over; which can be read. */
export function createFileWait(
  fds: readonly number[],
): (timeoutMs: number) => Result<readonly boolean[], SysError> {
  const sys = openSyscalls();
  const bytes = new Uint8Array(TIMESPEC_BYTES + fds.length * POLL_BYTES);
  const view = new DataView(bytes.buffer);
  const placeOf = (index: number): number => TIMESPEC_BYTES + index * POLL_BYTES;
  for (const [index, fd] of fds.entries()) {
    view.setInt32(placeOf(index), fd, true);
    view.setInt16(placeOf(index) + 4, POLLIN, true);
  }
  return (timeoutMs) => {
    const seconds = Math.floor(timeoutMs / 1_000);
    view.setBigUint64(0, BigInt(seconds), true);
    view.setBigUint64(8, BigInt(Math.floor((timeoutMs - seconds * 1_000) * 1e6)), true);
    const at = sys.pointerTo(bytes);
    const done = sys.call("ppoll", "", at + TIMESPEC_BYTES, fds.length, at, 0, 8);
    if (!done.ok) return done;
    return ok(fds.map((_, index) => view.getUint16(placeOf(index) + 6, true) !== 0));
  };
}
