// SPDX-License-Identifier: Apache-2.0

import type { Result } from "@rthooks/result";
import type { SysError } from "./errno.ts";

export type MaybePromise<T> = T | Promise<T>;

/** Limits for reading a file. */
interface ReadLimits {
  readonly maxBytes: number;
}

export type ReadError =
  | SysError
  | { readonly code: "ETOOBIG"; readonly bytes: number; readonly maxBytes: number };

/** A connected stream socket that never blocks. */
export interface Stream {
  /** Returns the number of bytes that the kernel accepted; 0 if its buffer is full. */
  send(bytes: Uint8Array): Result<number, SysError>;
  /** The next bytes, valid until the next call; an empty array if none have arrived, `undefined` at the end. */
  receive(): Result<Uint8Array | undefined, SysError>;
  /** Waits for at most `timeoutMs` until the stream is readable or, with `forRoom`, writable. */
  wait(timeoutMs: number, forRoom: boolean): void;
  close(): void;
}

/** As returned by clock_gettime(2), in two numbers, since one number cannot hold the time in nanoseconds. */
export interface WallTime {
  readonly seconds: number;
  /** 0 to 999,999,999. */
  readonly nanos: number;
}

/** The operating system's functions that the hook uses. A path with a NUL byte is the error EINVAL. */
export interface System {
  /** Time since 1970-01-01 UTC. */
  wallClock(): WallTime;
  /** A monotonic clock in milliseconds. */
  monotonicMs(): number;
  /** Waits. It may block the whole process. */
  sleep(ms: number): MaybePromise<void>;
  /** Reads a regular file. The last component of the path must not be a symbolic link. Never blocks on pipes. */
  readRegularFile(path: string, limits: ReadLimits): Result<Uint8Array, ReadError>;
  /**
   * Reads a file of /proc of less than 16 KiB that the kernel returns in one read(2) (single_open of fs/seq_file.c), such as
   * /proc/PID/cgroup. Faster than `readRegularFile`.
   */
  readProcFile(path: string): Result<Uint8Array, ReadError>;
  /**
   * Reads standard input to its end, or the bytes that arrive within `timeoutMs`. Empty for a terminal, if it is closed, and
   * for more than `maxBytes`.
   */
  readStdin(timeoutMs: number, maxBytes: number): MaybePromise<Uint8Array>;
  /** Writes to standard error and ignores errors. */
  writeStderr(text: string): void;
  writeStdout(text: string): void;
  /** The target of a symbolic link, including the links in /proc. */
  readLink(path: string): Result<string, SysError>;
  /** Opens a file for appending. Creates it (mode 0600) and its directories (0755) if necessary. */
  openLog(path: string): Result<LogFile, SysError>;
  /** Connects to a unix socket; `undefined` if this implementation does not support it. */
  readonly connectUnix: ((path: string) => Result<Stream, SysError>) | undefined;
  /** Exits at once, without the runtime's clean-up. */
  exit(code: number): never;
}

export interface LogFile {
  /** Size in bytes at the time of opening. */
  readonly size: number;
  /** Appends with one write(2); a partial write is an error with the number of written bytes. */
  append(line: Uint8Array): Result<void, SysError>;
  /**
   * Renames the file if the path still leads to it and no other process is renaming it; else returns false. An existing file
   * is not replaced.
   */
  renameTo(path: string): Result<boolean, SysError>;
  close(): void;
}
