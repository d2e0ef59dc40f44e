// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";
import { openSyscalls } from "@rthooks/sys/syscall";
import { type BpfError, toBpfError } from "../core/bpf-error.ts";
import { type CommandName, command } from "../core/commands.ts";

export interface BpfCalls {
  /** Returns the call's own value: a file descriptor, or 0. */
  bpf(name: CommandName, subject: string, attr: Uint8Array): Result<number, BpfError>;
  close(fd: number): void;
  /** The address of the bytes, which must stay referenced while the kernel may use it. */
  pointerTo(bytes: Uint8Array): bigint;
}

/** Throws if FFI is not available. */
export function openBpfCalls(): BpfCalls {
  const sys = openSyscalls();
  return {
    bpf(name, subject, attr) {
      const done = sys.call("bpf", subject, command[name], attr, attr.length);
      return done.ok ? ok(done.value) : err(toBpfError(name, done.error));
    },
    close: (fd) => void sys.call("close", "", fd),
    pointerTo: (bytes) => BigInt(sys.pointerTo(bytes)),
  };
}
