// SPDX-License-Identifier: Apache-2.0
// Constants of the kernel's ABI for x86-64 and arm64.
// Source: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h (arm64),
// include/uapi/asm-generic/fcntl.h, arch/arm64/include/uapi/asm/fcntl.h.

const x64 = {
  read: 0,
  write: 1,
  close: 3,
  fstat: 5,
  mmap: 9,
  munmap: 11,
  socket: 41,
  connect: 42,
  sendto: 44,
  getsockopt: 55,
  flock: 73,
  chroot: 161,
  mount: 165,
  clockGettime: 228,
  exitGroup: 231,
  inotifyAddWatch: 254,
  inotifyRmWatch: 255,
  openat: 257,
  mkdirat: 258,
  newfstatat: 262,
  readlinkat: 267,
  ppoll: 271,
  eventfd2: 290,
  inotifyInit1: 294,
  renameat2: 316,
  perfEventOpen: 298,
  bpf: 321,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  O_DIRECTORY: 0o200000,
  O_NOFOLLOW: 0o400000,
  statModeOffset: 24,
} as const;

const arm64: Readonly<Record<keyof typeof x64, number>> = {
  read: 63,
  write: 64,
  close: 57,
  fstat: 80,
  mmap: 222,
  munmap: 215,
  socket: 198,
  connect: 203,
  sendto: 206,
  getsockopt: 209,
  flock: 32,
  chroot: 51,
  mount: 40,
  clockGettime: 113,
  exitGroup: 94,
  inotifyAddWatch: 27,
  inotifyRmWatch: 28,
  openat: 56,
  mkdirat: 34,
  newfstatat: 79,
  readlinkat: 78,
  ppoll: 73,
  eventfd2: 19,
  inotifyInit1: 26,
  renameat2: 276,
  perfEventOpen: 241,
  bpf: 280,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  O_DIRECTORY: 0o40000,
  O_NOFOLLOW: 0o100000,
  statModeOffset: 16,
};

/** System call numbers and the constants that differ between processors. */
export const abi: Readonly<Record<keyof typeof x64, number>> = process.arch === "arm64" ? arm64 : x64;

export const AT_FDCWD = -100;
export const O_RDONLY = 0;
export const O_WRONLY = 0o1;
export const O_CREAT = 0o100;
export const O_NOCTTY = 0o400;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;
export const S_IFMT = 0o170000;
export const S_IFREG = 0o100000;
