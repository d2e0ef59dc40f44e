// SPDX-License-Identifier: Apache-2.0

export interface ExitStatus {
  /** 0 for a process that a signal has ended. */
  readonly status: number;
  /** "SIGKILL"; empty for a process that has ended by itself. */
  readonly signal: string;
}

/** From 1 on: include/uapi/asm-generic/signal.h, the same on x86-64 and arm64. */
const signals = [
  ...["HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE"],
  ...["ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ"],
  ...["VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS"],
];

/** `code`: as of waitpid(2). */
export function toExitStatus(code: number): ExitStatus {
  const signal = code & 0x7f;
  if (signal === 0) return { status: (code >> 8) & 0xff, signal: "" };
  // A real-time signal has a number and no name.
  return { status: 0, signal: `SIG${signals[signal - 1] ?? signal}` };
}
