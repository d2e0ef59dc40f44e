// SPDX-License-Identifier: Apache-2.0

import { describeError, err, ok, type Result } from "@rthooks/result";
import { openSyscalls, type Syscalls } from "@rthooks/sys/syscall";
import { type BpfError, toBpfError } from "../core/bpf-error.ts";
import { type CommandName, command } from "../core/commands.ts";

export interface BpfCalls {
  /** Returns the call's own value: a file descriptor, or 0. */
  bpf(name: CommandName, subject: string, attr: Uint8Array): Result<number, BpfError>;
  /** The descriptor of an event of the whole machine, for a program that is attached to it. */
  perfEventOpen(subject: string, attr: Uint8Array): Result<number, BpfError>;
  close(fd: number): void;
  /** The address of the bytes, for the next call: they stay referenced until it returns. */
  pointerTo(bytes: Uint8Array): bigint;
}

const PERF_FLAG_FD_CLOEXEC = 8;

/** The error is one line: FFI is not available in this process. */
export function openBpfCalls(): Result<BpfCalls, string> {
  let sys: Syscalls;
  try {
    sys = openSyscalls();
  } catch (error) {
    return err(`bpf(2) needs FFI: ${describeError(error)}`);
  }
  return ok(toBpfCalls(sys));
}

function toBpfCalls(sys: Syscalls): BpfCalls {
  const kept: Uint8Array[] = [];
  return {
    bpf(name, subject, attr) {
      const done = sys.call("bpf", subject, command[name], attr, attr.length);
      kept.length = 0;
      return done.ok ? ok(done.value) : err(toBpfError(name, done.error));
    },
    perfEventOpen(subject, attr) {
      // Any one processor: a program that is attached to the event runs on all of them.
      const [pid, cpu, group] = [-1, 0, -1];
      const done = sys.call("perfEventOpen", subject, attr, pid, cpu, group, PERF_FLAG_FD_CLOEXEC);
      kept.length = 0;
      return done.ok ? ok(done.value) : err(toBpfError("LINK_CREATE", done.error));
    },
    close: (fd) => void sys.call("close", "", fd),
    pointerTo(bytes) {
      kept.push(bytes);
      return BigInt(sys.pointerTo(bytes));
    },
  };
}
