// SPDX-License-Identifier: Apache-2.0
// The System on node: modules, for processes without FFI. It has no unix socket (the caller uses grpc-js) and does not rotate
// logs, since it has no flock(2).

import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { err, ok, type Result } from "@rthooks/result";
import { type SysError, toSysErrorOf } from "./errno.ts";
import type { LogFile, System } from "./system.ts";

export function openPortableSystem(): System {
  return {
    wallClock() {
      const ms = Date.now();
      return { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 };
    },
    monotonicMs: () => performance.now(),
    sleep: (ms) => Bun.sleep(ms),
    readRegularFile(path, { maxBytes }) {
      return withFile(path, constants.O_RDONLY, (fd) => {
        const bytes = fstatSync(fd).size;
        if (bytes > maxBytes) return err({ code: "ETOOBIG", bytes, maxBytes });
        return ok(new Uint8Array(readFileSync(fd)));
      });
    },
    readProcFile: (path) => withFile(path, constants.O_RDONLY, (fd) => ok(new Uint8Array(readFileSync(fd)))),
    readStdin,
    writeStdout: (text) => writeQuietly(1, text),
    writeStderr: (text) => writeQuietly(2, text),
    readLink: (path) => attempt("readlink", path, () => ok(readlinkSync(path))),
    openLog,
    connectUnix: undefined,
    exit: (code) => process.exit(code),
  };
}

const SAFELY = constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Opens, checks that it is a regular file, and closes. */
function withFile<T, E>(
  path: string,
  flags: number,
  use: (fd: number) => Result<T, E>,
): Result<T, E | SysError> {
  return attempt<T, E | SysError>("open", path, () => {
    const fd = openSync(path, flags | SAFELY, 0o600);
    try {
      if (!fstatSync(fd).isFile()) {
        return err({ call: "open", subject: path, code: "EINVAL", message: "not a regular file" });
      }
      return use(fd);
    } finally {
      closeSync(fd);
    }
  });
}

function openLog(path: string): Result<LogFile, SysError> {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;
  return attempt<LogFile, SysError>("open", path, () => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    const opened = withFile<undefined, SysError>(path, flags, () => ok(undefined));
    if (!opened.ok) return opened;
    return ok({
      size: 0,
      append: (line) =>
        withFile(path, flags, (fd) => {
          writeSync(fd, line);
          return ok(undefined);
        }),
      renameTo: () => ok(false),
      close() {
        // `append` opens and closes the file for each line.
      },
    });
  });
}

async function readStdin(timeoutMs: number, maxBytes: number): Promise<Uint8Array> {
  const type = attempt("fstat", "stdin", () => ok(fstatSync(0)));
  if (!type.ok || type.value.isCharacterDevice()) return new Uint8Array();
  const reader = Bun.stdin.stream().getReader();
  const timer = setTimeout(() => void reader.cancel(), timeoutMs);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      length += value.length;
      if (length > maxBytes) return new Uint8Array();
    }
  } catch {
    // The bytes before the error are used.
  }
  clearTimeout(timer);
  return new Uint8Array(Buffer.concat(chunks));
}

function writeQuietly(fd: number, text: string): void {
  attempt("write", "", () => ok(writeSync(fd, text)));
}

function attempt<T, E>(call: string, subject: string, action: () => Result<T, E>): Result<T, E | SysError> {
  try {
    return action();
  } catch (error) {
    return err(toSysErrorOf(error, call, subject));
  }
}
