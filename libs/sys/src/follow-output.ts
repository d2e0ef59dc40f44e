// SPDX-License-Identifier: Apache-2.0

import { decodePoll, encodePoll, TIMESPEC_BYTES } from "./bytes.ts";
import { CLOSED_OUTPUT } from "./closed-output.ts";
import { openSyscalls, type Syscalls } from "./syscall.ts";

const POLLERR = 8;
const checkEveryMs = 1000;

/**
 * Exits when the reader of standard output has closed it, also while there is nothing to write: `tetragon watch | head -1`
 * ends without another change. Does nothing where FFI is not available.
 */
export function followOutput(): void {
  let sys: Syscalls;
  try {
    sys = openSyscalls();
  } catch {
    return;
  }
  setInterval(() => {
    const request = encodePoll(process.stdout.fd, 0, 0);
    const at = sys.pointerTo(request);
    const ready = sys.call("ppoll", "", at + TIMESPEC_BYTES, 1, at, 0, 8);
    if (ready.ok && (decodePoll(request) & POLLERR) !== 0) process.exit(CLOSED_OUTPUT);
  }, checkEveryMs).unref();
}
