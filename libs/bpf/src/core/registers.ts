// SPDX-License-Identifier: Apache-2.0

export type Processor = "x64" | "arm64";

/**
 * Offsets of the registers of a function's first arguments, in struct pt_regs of arch/x86/include/asm/ptrace.h (di, si,
 * dx, cx, r8), and in struct user_pt_regs of arch/arm64/include/uapi/asm/ptrace.h (regs[0] to regs[4]).
 */
export const argumentRegisters: Readonly<Record<Processor, readonly number[]>> = {
  x64: [112, 104, 96, 88, 72],
  arm64: [0, 8, 16, 24, 32],
};
