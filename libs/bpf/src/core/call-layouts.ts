// SPDX-License-Identifier: Apache-2.0
// Where system calls have their arguments: `call__layouts` of bpf/calls.h.

import type { Processor } from "./registers.ts";

/** Register N, or the two with the lower and the upper half; in units of pages. */
type Argument = number | readonly [low: number, high: number] | { readonly pages: number };

interface Layout {
  readonly arguments: readonly Argument[];
  /** The register with the address of the arguments, which are words of 4 bytes. */
  readonly memory?: number;
}

/** Layouts of 32-bit calls, from the entry point of each call in arch/x86/entry/syscalls/syscall_32.tbl. */
const layouts32 = {
  plain: { arguments: [0, 1, 2, 3, 4, 5] },
  first: { arguments: [0] },
  llseek: { arguments: [0, [2, 1], 4] },
  pread64: { arguments: [0, 1, 2, [3, 4]] },
  truncate64: { arguments: [0, [1, 2], 3, 4] },
  fadvise64_64: { arguments: [0, [1, 2], [3, 4], 5] },
  fallocate: { arguments: [0, 1, [2, 3], [4, 5]] },
  fanotify_mark: { arguments: [0, 1, [2, 3], 4, 5] },
  mmap2: { arguments: [0, 1, 2, 3, 4, { pages: 5 }] },
  clone: { arguments: [0, 1, 2, 4, 3] },
  statfs64: { arguments: [0, 2] },
  memory: { arguments: [0, 1, 2, 3, 4, 5], memory: 0 },
  socketcall: { arguments: [0, 1, 2, 3, 4, 5], memory: 1 },
  semop: { arguments: [1, 4, 2, 5, 3] },
  msgsnd: { arguments: [1, 4, 2, 3] },
  semget: { arguments: [1, 2, 3] },
  msgctl: { arguments: [1, 2, 4] },
  shmdt: { arguments: [4] },
} as const satisfies Readonly<Record<string, Layout>>; // const: the names are a union

export type LayoutName = "own" | keyof typeof layouts32;

const names = ["own", ...Object.keys(layouts32)];

/** Its number in `call__layouts`. */
export const toLayoutNumber = (name: LayoutName): number => names.indexOf(name);

/**
 * Offsets of the registers with the arguments: struct pt_regs of arch/x86/include/asm/ptrace.h (di, si, dx, r10, r8, r9; of
 * a 32-bit call bx, cx, dx, si, di, bp) and struct user_pt_regs of arch/arm64/include/uapi/asm/ptrace.h.
 */
const registers: Readonly<Record<Processor, readonly number[]>> = {
  x64: [112, 104, 96, 56, 72, 64],
  arm64: [0, 8, 16, 24, 32, 40],
};
/** With the first argument of a 32-bit call. */
export const firstRegister32 = 40;
const registers32: readonly number[] = [firstRegister32, 88, 96, 104, 112, 32];

const NO_REGISTER = 0xff;
const PAGE_BITS = 12;
const CALL_LAYOUTS = 32;
const LAYOUT_REGISTERS = 8;
const LAYOUT_MEMORY = 7;

/** The constants of the programs that are the same for all lists of arguments. */
export function encodeCallLayouts(processor: Processor): Uint8Array {
  const bytes = new Uint8Array(CALL_LAYOUTS * LAYOUT_REGISTERS * 4);
  const set = (layout: number, at: number, ...entry: readonly number[]): void =>
    bytes.set(entry, (layout * LAYOUT_REGISTERS + at) * 4);
  for (let layout = 0; layout < CALL_LAYOUTS; layout++) set(layout, LAYOUT_MEMORY, NO_REGISTER);
  for (const [at, offset] of registers[processor].entries()) set(0, at, offset, NO_REGISTER, 8);
  for (const [at, layout] of Object.values<Layout>(layouts32).entries()) {
    const place = (index: number): number =>
      layout.memory === undefined ? (registers32[index] ?? NO_REGISTER) : index * 4;
    for (const [index, argument] of layout.arguments.entries()) {
      if (typeof argument === "number") set(at + 1, index, place(argument), NO_REGISTER, 4);
      else if ("pages" in argument) set(at + 1, index, place(argument.pages), NO_REGISTER, 8, PAGE_BITS);
      else set(at + 1, index, place(argument[0]), place(argument[1]), 8);
    }
    if (layout.memory !== undefined) set(at + 1, LAYOUT_MEMORY, registers32[layout.memory] ?? NO_REGISTER);
  }
  return bytes;
}
