// SPDX-License-Identifier: Apache-2.0
// System calls through FFI. All use the one function syscall(2), since each bound symbol delays the start of the hook, and
// with it every container.

import { dlopen, FFIType, type Pointer, ptr, read, toArrayBuffer } from "bun:ffi";
import { err, type Result } from "@rthooks/result";
import { abi } from "./abi.ts";
import { type SysError, toSysError } from "./errno.ts";

type Argument = number | Uint8Array;

export interface Syscalls {
  /** Repeats the call after EINTR. Returns the call's own value, 0 or more. */
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
  /** The address of the bytes, for nested structures; the bytes must stay referenced until the call returns. */
  pointerTo(bytes: Uint8Array): number;
  /** The memory at an address: an access after it is unmapped ends the process. */
  memoryAt(address: number, length: number): ArrayBuffer;
}

const EINTR = 4;

/**
 * Binds the C library's `syscall(2)`. Throws if FFI is not available: Bun needs its JIT compiler for it, which a policy
 * against executable memory or BUN_JSC_useJIT=0 disables.
 */
export function openSyscalls(): Syscalls {
  const { symbols } = dlopen("libc.so.6", {
    syscall: { args: ["i64", "i64", "i64", "i64", "i64", "i64", "i64"], returns: FFIType.i64_fast },
    __errno_location: { args: [], returns: "ptr" },
  });
  // The address is constant for this thread.
  const errnoAt = symbols.__errno_location();
  if (errnoAt === null) throw new Error("the C library has no errno");

  return {
    pointerTo,
    // The address is of memory that mmap(2) has returned, and no other kind of pointer.
    memoryAt: (address, length) => toArrayBuffer(address as Pointer, 0, length),
    call(name, subject, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0) {
      const number = abi[name];
      // Written out, like ok() below: a helper function would be called so often that the runtime compiles it during the
      // hook's short life.
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

/** ptr() throws for an empty array; with length 0 a call ignores the address. */
const pointerTo = (bytes: Uint8Array): number => (bytes.length === 0 ? 0 : ptr(bytes));
