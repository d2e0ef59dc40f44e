// SPDX-License-Identifier: Apache-2.0
// The System on system calls through FFI. All calls are synchronous: the hook needs no event loop, and each module of the
// runtime that is not loaded shortens its start. Result objects are written out on the path of every hook, see syscall.ts.

import { err, ok, type Result } from "@rthooks/result";
import {
  AT_FDCWD,
  abi,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
} from "./abi.ts";
import {
  decodePoll,
  decodeStat,
  decodeTimespec,
  encodeCString,
  encodePoll,
  encodeUnixAddress,
  type FileStatus,
  isRegular,
  isSameFile,
  STAT_BYTES,
  TIMESPEC_BYTES,
} from "./bytes.ts";
import { type SysError, toSysError } from "./errno.ts";
import { openSyscalls, type Syscalls } from "./syscall.ts";
import type { LogFile, ReadError, Stream, System } from "./system.ts";

const EINVAL = 22;
const ENAMETOOLONG = 36;
const AF_UNIX = 1;
const SOCK_STREAM_NONBLOCK_CLOEXEC = 0o2004001;
const MSG_NOSIGNAL = 0x4000;
const POLLIN = 1;
const POLLOUT = 4;
const POLLHUP = 16;
const MAX_PROC_BYTES = 16_384;
const CLOCK_REALTIME = 0;
const LOCK_EX_NB = 6;
const RENAME_NOREPLACE = 1;
const S_IFCHR = 0o020000;
/** poll(2) ignores a negative descriptor and only waits. */
const NO_FILE = -1;
const LONGEST_WAIT_MS = 24 * 60 * 60 * 1000;

/** Throws if FFI is not available; see {@link openSyscalls}. */
export function openFfiSystem(): System {
  const sys = openSyscalls();
  const writeAll = (fd: number, text: string): void => {
    let rest = new TextEncoder().encode(text);
    while (rest.length > 0) {
      const written = sys.call("write", "", fd, rest, rest.length);
      if (!written.ok || written.value === 0) return;
      rest = rest.subarray(written.value);
    }
  };

  return {
    wallClock() {
      const time = new Uint8Array(16);
      sys.call("clockGettime", "", CLOCK_REALTIME, time);
      return decodeTimespec(time);
    },
    monotonicMs: () => performance.now(),
    sleep(ms) {
      poll(sys, NO_FILE, 0, ms);
    },
    readRegularFile: (path, { maxBytes }) => readRegularFile(sys, path, maxBytes),
    readProcFile: (path) => readProcFile(sys, path),
    readStdin: (timeoutMs, maxBytes) => readStdin(sys, timeoutMs, maxBytes),
    writeStdout: (text) => writeAll(1, text),
    writeStderr: (text) => writeAll(2, text),
    readLink(path) {
      const name = encodeCString(path);
      if (name === undefined) return err(toSysError("readlink", path, EINVAL));
      const target = new Uint8Array(4096);
      const length = sys.call("readlinkat", path, AT_FDCWD, name, target, target.length);
      return length.ok
        ? { ok: true, value: new TextDecoder().decode(target.subarray(0, length.value)) }
        : length;
    },
    openLog: (path) => openLog(sys, path),
    connectUnix: (path) => connectUnix(sys, path),
    exit(code) {
      sys.call("exitGroup", "", code);
      throw new Error("exit_group returned");
    },
  };
}

/** What has happened to the file (POLLIN and so on): 0 when the time is up. */
function poll(sys: Syscalls, fd: number, events: number, timeoutMs: number): Result<number, SysError> {
  const waitMs = timeoutMs < 0 ? 0 : timeoutMs > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : timeoutMs;
  const request = encodePoll(fd, events, waitMs);
  const at = sys.pointerTo(request);
  const ready = sys.call("ppoll", "", at + TIMESPEC_BYTES, 1, at, 0, 8);
  return ready.ok ? { ok: true, value: decodePoll(request) } : ready;
}

function open(sys: Syscalls, path: string, flags: number, mode = 0): Result<number, SysError> {
  const name = encodeCString(path);
  if (name === undefined) return err(toSysError("open", path, EINVAL));
  return sys.call("openat", path, AT_FDCWD, name, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, mode);
}

function status(sys: Syscalls, fd: number, subject: string): Result<FileStatus, SysError> {
  const bytes = new Uint8Array(STAT_BYTES);
  const done = sys.call("fstat", subject, fd, bytes);
  return done.ok ? { ok: true, value: decodeStat(bytes) } : done;
}

function readRegularFile(sys: Syscalls, path: string, maxBytes: number): Result<Uint8Array, ReadError> {
  const fd = open(sys, path, O_RDONLY | abi.O_NOFOLLOW);
  if (!fd.ok) return fd;
  try {
    const file = status(sys, fd.value, path);
    if (!file.ok) return file;
    if (!isRegular(file.value)) {
      return err({ call: "read", subject: path, code: "EINVAL", message: "not a regular file" });
    }
    if (file.value.size > maxBytes) return err({ code: "ETOOBIG", bytes: file.value.size, maxBytes });
    return readToEnd(sys, fd.value, path, file.value.size, maxBytes);
  } finally {
    sys.call("close", path, fd.value);
  }
}

/** One read: the kernel makes the whole text for the first one, as far as there is room for it. */
function readProcFile(sys: Syscalls, path: string): Result<Uint8Array, ReadError> {
  const fd = open(sys, path, O_RDONLY);
  if (!fd.ok) return fd;
  const buffer = new Uint8Array(MAX_PROC_BYTES);
  const count = sys.call("read", path, fd.value, buffer, buffer.length);
  sys.call("close", path, fd.value);
  if (!count.ok) return count;
  const bytes = count.value;
  if (bytes === buffer.length) return err({ code: "ETOOBIG", bytes, maxBytes: MAX_PROC_BYTES - 1 });
  return { ok: true, value: buffer.subarray(0, bytes) };
}

/** Reads to the end: a file in /proc has size 0, and any file may have grown since fstat(2). */
function readToEnd(
  sys: Syscalls,
  fd: number,
  path: string,
  expectedBytes: number,
  maxBytes: number,
): Result<Uint8Array, ReadError> {
  let buffer = new Uint8Array(expectedBytes === 0 ? 16_384 : expectedBytes + 1);
  let length = 0;
  for (;;) {
    const room = buffer.subarray(length);
    const count = sys.call("read", path, fd, room, room.length);
    if (!count.ok) return count;
    length += count.value;
    if (length > maxBytes) return err({ code: "ETOOBIG", bytes: length, maxBytes });
    const short = count.value < room.length;
    if (count.value === 0 || (short && expectedBytes > 0))
      return { ok: true, value: buffer.subarray(0, length) };
    if (!short) buffer = toDoubled(buffer);
  }
}

/** Copies the bytes into a buffer of twice the size. */
function toDoubled(buffer: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(buffer.length * 2);
  larger.set(buffer);
  return larger;
}

function readStdin(sys: Syscalls, timeoutMs: number, maxBytes: number): Uint8Array {
  const kind = status(sys, 0, "stdin");
  if (!kind.ok || kind.value.type === S_IFCHR) return new Uint8Array();
  const deadline = performance.now() + timeoutMs;
  let buffer = new Uint8Array(8_192);
  let length = 0;
  for (;;) {
    const ready = poll(sys, 0, POLLIN, deadline - performance.now());
    if (!ready.ok || ready.value === 0) break;
    const room = buffer.subarray(length);
    const count = sys.call("read", "stdin", 0, room, room.length);
    if (!count.ok || count.value === 0) break;
    length += count.value;
    if (length > maxBytes) return new Uint8Array();
    // A file, or a pipe that its writer has closed: all bytes are read, without another read(2) for the end.
    const isAll = isRegular(kind.value) || (ready.value & POLLHUP) !== 0;
    if (isAll && count.value < room.length) break;
    if (length === buffer.length) buffer = toDoubled(buffer);
  }
  return buffer.subarray(0, length);
}

function openLog(sys: Syscalls, path: string): Result<LogFile, SysError> {
  const flags = O_WRONLY | O_APPEND | O_CREAT | abi.O_NOFOLLOW;
  let fd = open(sys, path, flags, 0o600);
  if (!fd.ok && fd.error.code === "ENOENT") {
    makeDirectories(sys, path.slice(0, path.lastIndexOf("/")));
    fd = open(sys, path, flags, 0o600);
  }
  if (!fd.ok) return fd;
  const { value: file } = fd;
  const opened = status(sys, file, path);
  if (!opened.ok || !isRegular(opened.value)) {
    sys.call("close", path, file);
    return opened.ok
      ? err({ call: "open", subject: path, code: "EINVAL", message: "not a regular file" })
      : opened;
  }
  return ok({
    size: opened.value.size,
    append(line) {
      const written = sys.call("write", path, file, line, line.length);
      if (!written.ok) return written;
      if (written.value === line.length) return { ok: true, value: undefined };
      return err({
        call: "write",
        subject: path,
        code: "ENOSPC",
        message: `only ${written.value} of ${line.length} bytes were written`,
      });
    },
    renameTo: (target) => renameLocked(sys, file, path, target, opened.value),
    close: () => void sys.call("close", path, file),
  });
}

/**
 * Locks the file itself, without waiting: a hook that does not get the lock appends to the file, and a hook that gets it late
 * finds that the path leads to another file.
 */
function renameLocked(
  sys: Syscalls,
  fd: number,
  path: string,
  target: string,
  own: FileStatus,
): Result<boolean, SysError> {
  const from = encodeCString(path);
  const to = encodeCString(target);
  if (from === undefined || to === undefined) return err(toSysError("rename", target, EINVAL));
  const locked = sys.call("flock", path, fd, LOCK_EX_NB);
  if (!locked.ok) return locked.error.code === "EAGAIN" ? ok(false) : locked;
  const bytes = new Uint8Array(STAT_BYTES);
  const found = sys.call("newfstatat", path, AT_FDCWD, from, bytes, 0);
  if (!found.ok) return found.error.code === "ENOENT" ? ok(false) : found;
  if (!isSameFile(decodeStat(bytes), own)) return ok(false);
  const renamed = sys.call("renameat2", target, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
  return renamed.ok ? ok(true) : renamed;
}

function makeDirectories(sys: Syscalls, directory: string): void {
  for (let end = directory.indexOf("/", 1); ; end = directory.indexOf("/", end + 1)) {
    const name = encodeCString(end === -1 ? directory : directory.slice(0, end));
    // Errors show when the file is opened.
    if (name !== undefined && name.length > 1) sys.call("mkdirat", "", AT_FDCWD, name, 0o755);
    if (end === -1) return;
  }
}

function connectUnix(sys: Syscalls, path: string): Result<Stream, SysError> {
  const address = encodeUnixAddress(path);
  if (address === undefined) return err(toSysError("connect", path, ENAMETOOLONG));
  const socket = sys.call("socket", path, AF_UNIX, SOCK_STREAM_NONBLOCK_CLOEXEC, 0);
  if (!socket.ok) return socket;
  const fd = socket.value;
  const connected = sys.call("connect", path, fd, address, address.length);
  if (!connected.ok) {
    sys.call("close", path, fd);
    return connected;
  }
  const buffer = new Uint8Array(16_384);
  const nothingYet = ok(buffer.subarray(0, 0));
  return ok({
    send(bytes) {
      const sent = sys.call("sendto", path, fd, bytes, bytes.length, MSG_NOSIGNAL, 0, 0);
      return sent.ok || sent.error.code !== "EAGAIN" ? sent : ok(0);
    },
    receive() {
      const count = sys.call("read", path, fd, buffer, buffer.length);
      if (!count.ok) return count.error.code === "EAGAIN" ? nothingYet : count;
      return { ok: true, value: count.value === 0 ? undefined : buffer.subarray(0, count.value) };
    },
    wait(timeoutMs, forRoom) {
      poll(sys, fd, forRoom ? POLLIN | POLLOUT : POLLIN, timeoutMs);
    },
    close: () => void sys.call("close", path, fd),
  });
}
