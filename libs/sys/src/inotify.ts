// SPDX-License-Identifier: Apache-2.0
// inotify(7): what happens in directories. node:fs' own watch does the same for ten times the price, which counts where
// every container has one.

import { ok, type Result } from "@rthooks/result";
import { O_CLOEXEC, O_NONBLOCK } from "./abi.ts";
import type { SysError } from "./errno.ts";
import { openSyscalls } from "./syscall.ts";

export interface Inotify {
  /** Something is made or removed right in the directory from now on; gives the watch's number. */
  add(directory: string): Result<number, SysError>;
  remove(watch: number): void;
  /** The watches in which something has happened since the last time; all of them where the kernel has lost count. */
  take(): ReadonlySet<number> | "all";
  close(): void;
}

/** include/uapi/linux/inotify.h */
const IN_CREATE = 0x100;
const IN_DELETE = 0x200;
const IN_DELETE_SELF = 0x400;
const IN_ONLYDIR = 0x0100_0000;
const IN_DONT_FOLLOW = 0x0200_0000;
const IN_IGNORED = 0x8000;
const IN_Q_OVERFLOW = 0x4000;
const MASK = IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW;
/** struct inotify_event without its name. */
const HEADER_BYTES = 16;
const BUFFER_BYTES = 64 * 1024;
/** Reads in one go: who makes and removes directories without end must not hold up everything else. */
const MAX_READS = 16;

export function openInotify(): Result<Inotify, SysError> {
  const sys = openSyscalls();
  const opened = sys.call("inotifyInit1", "", O_NONBLOCK | O_CLOEXEC);
  if (!opened.ok) return opened;
  const fd = opened.value;
  const path = new Uint8Array(4097);
  const encoder = new TextEncoder();
  const buffer = new Uint8Array(BUFFER_BYTES);
  const view = new DataView(buffer.buffer);

  return ok({
    add(directory) {
      const { written } = encoder.encodeInto(directory, path.subarray(0, path.length - 1));
      path[written] = 0;
      return sys.call("inotifyAddWatch", directory, fd, path, MASK);
    },
    // One whose directory is gone has gone with it.
    remove: (watch) => void sys.call("inotifyRmWatch", "", fd, watch),
    take() {
      const happened = new Set<number>();
      for (let reads = 0; reads < MAX_READS; reads++) {
        const read = sys.call("read", "inotify", fd, buffer, buffer.length);
        if (!read.ok || read.value === 0) break;
        for (let at = 0; at < read.value; ) {
          const mask = view.getUint32(at + 4, true);
          if ((mask & IN_Q_OVERFLOW) !== 0) return "all";
          if ((mask & IN_IGNORED) === 0) happened.add(view.getInt32(at, true));
          at += HEADER_BYTES + view.getUint32(at + 12, true);
        }
        if (read.value < buffer.length / 2) break;
      }
      return happened;
    },
    close: () => void sys.call("close", "", fd),
  });
}
