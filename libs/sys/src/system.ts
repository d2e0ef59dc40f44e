// SPDX-License-Identifier: Apache-2.0

import type { Result } from "@rthooks/result";
import type { SysError } from "./errno.ts";

export type MaybePromise<T> = T | Promise<T>;

/** What a file must be, and how much of it is read. */
interface ReadLimits {
  readonly maxBytes: number;
}

export type ReadError =
  | SysError
  | { readonly code: "ETOOBIG"; readonly bytes: number; readonly maxBytes: number };

/** A connected stream socket that never blocks. */
export interface Stream {
  /** How many of the bytes the kernel took: 0 when its buffer is full. */
  send(bytes: Uint8Array): Result<number, SysError>;
  /** The next bytes, valid until the next call; an empty array when there are none yet, `undefined` at the end. */
  receive(): Result<Uint8Array | undefined, SysError>;
  /** Waits until there is something to read (or, if asked, room to write), `timeoutMs` at most. */
  wait(timeoutMs: number, forRoom: boolean): void;
  close(): void;
}

/** As clock_gettime(2) gives it: in two numbers, since one cannot hold today in nanoseconds. */
export interface WallTime {
  readonly seconds: number;
  /** 0 to 999,999,999. */
  readonly nanos: number;
}

/** The operating system as the hook needs it. Paths with a NUL byte are refused with EINVAL. */
export interface System {
  /** Time since 1970. */
  wallClock(): WallTime;
  /** A clock that only goes forward, in milliseconds. */
  monotonicMs(): number;
  /** Pauses the program; only in a program that has nothing else to do. */
  sleep(ms: number): MaybePromise<void>;
  /** Reads a regular file whole. The last component of the path may not be a link; nothing is waited for. */
  readRegularFile(path: string, limits: ReadLimits): Result<Uint8Array, ReadError>;
  /**
   * Reads a file of /proc that the kernel writes in one piece (single_open of fs/seq_file.c), such as /proc/PID/cgroup,
   * of less than 16 KiB. Cheaper than `readRegularFile`, which every start of the hook would pay for.
   */
  readProcFile(path: string): Result<Uint8Array, ReadError>;
  /**
   * Standard input up to its end, or what came of it within `timeoutMs`. Empty for a terminal, for a closed one, and
   * for one of more than `maxBytes`.
   */
  readStdin(timeoutMs: number, maxBytes: number): MaybePromise<Uint8Array>;
  /** Writes to standard error as far as it takes the text; an error there is nobody's to handle. */
  writeStderr(text: string): void;
  writeStdout(text: string): void;
  /** The target of a symbolic link, also of the kernel's own in /proc. */
  readLink(path: string): Result<string, SysError>;
  /** Opens a file for appending: made with mode 0600 where there is none, and so are its directories (0755). */
  openLog(path: string): Result<LogFile, SysError>;
  /** Connects to a unix socket; `undefined` where this implementation has no socket of its own to offer. */
  readonly connectUnix: ((path: string) => Result<Stream, SysError>) | undefined;
  /** Ends the process at once, without the runtime's own tear-down. */
  exit(code: number): never;
}

export interface LogFile {
  /** Size in bytes when it was opened. */
  readonly size: number;
  /** One write: the line comes whole or the error says how much of it did not. */
  append(line: Uint8Array): Result<void, SysError>;
  /**
   * Gives the file another name if the path still leads to it and no one else is at it: false when it was left
   * alone. A name that is taken is never replaced.
   */
  renameTo(path: string): Result<boolean, SysError>;
  close(): void;
}
