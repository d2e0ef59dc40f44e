// SPDX-License-Identifier: Apache-2.0

/**
 * Errors that callers distinguish, by number: include/uapi/asm-generic/errno-base.h and errno.h, with the texts of
 * strerror(3).
 */
const errors: Readonly<Record<number, readonly [ErrnoName, string]>> = {
  1: ["EPERM", "operation not permitted"],
  2: ["ENOENT", "no such file or directory"],
  3: ["ESRCH", "no such process"],
  4: ["EINTR", "interrupted system call"],
  5: ["EIO", "input/output error"],
  6: ["ENXIO", "no such device or address"],
  7: ["E2BIG", "argument list too long"],
  9: ["EBADF", "bad file descriptor"],
  11: ["EAGAIN", "resource temporarily unavailable"],
  12: ["ENOMEM", "cannot allocate memory"],
  13: ["EACCES", "permission denied"],
  16: ["EBUSY", "device or resource busy"],
  17: ["EEXIST", "file exists"],
  20: ["ENOTDIR", "not a directory"],
  21: ["EISDIR", "is a directory"],
  22: ["EINVAL", "invalid argument"],
  23: ["ENFILE", "too many open files in system"],
  24: ["EMFILE", "too many open files"],
  27: ["EFBIG", "file too large"],
  28: ["ENOSPC", "no space left on device"],
  30: ["EROFS", "read-only file system"],
  32: ["EPIPE", "broken pipe"],
  36: ["ENAMETOOLONG", "file name too long"],
  38: ["ENOSYS", "function not implemented"],
  40: ["ELOOP", "is a symbolic link"],
  91: ["EPROTOTYPE", "protocol wrong type for socket"],
  104: ["ECONNRESET", "connection reset by peer"],
  107: ["ENOTCONN", "transport endpoint is not connected"],
  111: ["ECONNREFUSED", "connection refused"],
  122: ["EDQUOT", "disk quota exceeded"],
  524: ["ENOTSUPP", "operation is not supported"],
};

export type ErrnoName =
  | "EPERM"
  | "ENOENT"
  | "ESRCH"
  | "EINTR"
  | "EIO"
  | "ENXIO"
  | "E2BIG"
  | "EBADF"
  | "EAGAIN"
  | "ENOMEM"
  | "EACCES"
  | "EBUSY"
  | "EEXIST"
  | "ENOTDIR"
  | "EISDIR"
  | "EINVAL"
  | "ENFILE"
  | "EMFILE"
  | "EFBIG"
  | "ENOSPC"
  | "EROFS"
  | "EPIPE"
  | "ENAMETOOLONG"
  | "ENOSYS"
  | "ELOOP"
  | "EPROTOTYPE"
  | "ECONNRESET"
  | "ENOTCONN"
  | "ECONNREFUSED"
  | "EDQUOT"
  | "ENOTSUPP"
  | "EOTHER";

/** A failed system call: name, subject and cause. */
export interface SysError {
  readonly call: string;
  /** The path or address of the call; empty for none. */
  readonly subject: string;
  readonly code: ErrnoName;
  readonly message: string;
}

export function toSysError(call: string, subject: string, errno: number): SysError {
  const [code, message] = errors[errno] ?? ["EOTHER", `errno ${errno}`];
  return { call, subject, code, message };
}

const EINVAL = 22;

/** From an exception of a node: module. An invalid argument has no errno and becomes EINVAL. */
export function toSysErrorOf(error: unknown, call: string, subject: string): SysError {
  const errno = error instanceof Error && "errno" in error ? Number(error.errno) : EINVAL;
  const known = toSysError(call, subject, Math.abs(errno));
  return known.code === "EOTHER" && error instanceof Error ? { ...known, message: error.message } : known;
}

/** "open /x: no such file or directory" */
export function renderSysError(error: SysError): string {
  return error.subject === ""
    ? `${error.call}: ${error.message}`
    : `${error.call} ${error.subject}: ${error.message}`;
}
