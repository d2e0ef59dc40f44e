// SPDX-License-Identifier: Apache-2.0
// System calls from TypeScript. One foreign function serves them all, because every bound symbol costs start-up
// time, and the hook is paid for by every container.

import { dlopen, FFIType, ptr, read } from "bun:ffi";
import { err, type Result } from "@rthooks/result";
import { abi } from "./abi.ts";
import { type SysError, toSysError } from "./errno.ts";

type Argument = number | Uint8Array;

export interface Syscalls {
  /** Makes the call again when a signal interrupted it. The value is the call's own, 0 or more. */
  call(
    name: Exclude<keyof typeof abi, "O_DIRECTORY" | "O_NOFOLLOW" | "statModeOffset">,
    subject: string,
    a?: Argument,
    b?: Argument,
    c?: Argument,
    d?: Argument,
    e?: number,
    f?: number,
  ): Result<number, SysError>;
  /** Where the bytes lie, for structures that are passed in parts; they must be kept until the call is over. */
  pointerTo(bytes: Uint8Array): number;
}

const EINTR = 4;

/**
 * Binds the C library's `syscall(2)`. Throws where foreign calls are refused: Bun needs its JIT for them, so a
 * policy that forbids executable memory, or BUN_JSC_useJIT=0, rules them out.
 */
export function openSyscalls(): Syscalls {
  const { symbols } = dlopen("libc.so.6", {
    syscall: { args: ["i64", "i64", "i64", "i64", "i64", "i64", "i64"], returns: FFIType.i64_fast },
    __errno_location: { args: [], returns: "ptr" },
  });
  // The address belongs to this thread and stays the same for as long as it lives.
  const errnoAt = symbols.__errno_location();
  if (errnoAt === null) throw new Error("the C library has no errno");

  return {
    pointerTo,
    call(name, subject, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0) {
      const number = abi[name];
      // Written out, as is ok() below: a function that every call of the hook went through would be called so often
      // that the runtime starts to compile it.
      const a1 = typeof a === "number" ? a : pointerTo(a);
      const b1 = typeof b === "number" ? b : pointerTo(b);
      const c1 = typeof c === "number" ? c : pointerTo(c);
      const d1 = typeof d === "number" ? d : pointerTo(d);
      for (;;) {
        const returned = Number(symbols.syscall(number, a1, b1, c1, d1, e, f));
        if (returned >= 0) return { ok: true, value: returned };
        const errno = read.i32(errnoAt, 0);
        if (errno !== EINTR) return err(toSysError(name, subject, errno));
      }
    },
  };
}

/** ptr() refuses an empty array, and a call with length 0 does not look at the address. */
const pointerTo = (bytes: Uint8Array): number => (bytes.length === 0 ? 0 : ptr(bytes));
