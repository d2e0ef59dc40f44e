// SPDX-License-Identifier: Apache-2.0
// A file that is checked repeatedly, and read when it differs from the file of the last read and has stopped changing. A
// look follows symlinks, so it finds a rewrite, a rename over the file and the swap of a directory link (as the kubelet does
// for mounted ConfigMaps), also on file systems without change events.

import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open, readlink, stat } from "node:fs/promises";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { isMissing } from "@rthooks/sys/is-missing";

type FileLook =
  /** It can be read, and there is nothing new in it. */
  | { readonly kind: "same" }
  /** It is being written: a later look reads it. */
  | { readonly kind: "changing" }
  /** Read whole; the error is about what is in it, and stands until it is another file. */
  | { readonly kind: "read"; readonly bytes: Result<Uint8Array<ArrayBuffer>, string> }
  /** There is nothing under this path (ENOENT), which may pass. */
  | { readonly kind: "missing"; readonly error: string }
  /** Nothing can be said of it: no descriptors are left, no right to read it, an error of the disk. */
  | { readonly kind: "broken"; readonly error: string };

export interface FollowedFile {
  /** One at a time. */
  look(): Promise<FileLook>;
}

export interface FollowOptions {
  readonly maxBytes: number;
  /** The first look reads the file as it is; the second one reads it once more. */
  readonly isReadAtOnce: boolean;
}

export function followFile(path: string, { maxBytes, isReadAtOnce }: FollowOptions): FollowedFile {
  let isFirst = isReadAtOnce;
  /** Of the file that was read, and of what was in it. */
  let used = "";
  let digest = "";
  /** Of the last look. */
  let seen = "";
  return {
    async look() {
      const isAtOnce = isFirst;
      isFirst = false;
      try {
        const stats = await stat(path, { bigint: true });
        const fingerprint = toFingerprint(stats);
        const isSettled = fingerprint === seen || isAtOnce;
        seen = fingerprint;
        if (fingerprint === used) return { kind: "same" };
        if (!isSettled) return { kind: "changing" };
        // Opening a pipe would wait for a writer.
        const bytes = stats.isFile() ? await readWhole(path, fingerprint, maxBytes) : err(notRegular);
        if (bytes === undefined) return { kind: "changing" };
        used = isAtOnce ? "" : fingerprint;
        const before = digest;
        digest = await toDigest(bytes);
        return digest === before ? { kind: "same" } : { kind: "read", bytes };
      } catch (error) {
        seen = "";
        if (!isMissing(error)) return { kind: "broken", error: describeError(error) };
        const target = await findTarget(path);
        return target === undefined
          ? { kind: "missing", error: describeError(error) }
          : { kind: "broken", error: `it is a link to ${target}, which leads to nothing` };
      }
    },
  };
}

/** Where the link leads to; undefined where there is none. */
async function findTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch {
    return undefined;
  }
}

const notRegular = "it is not a regular file";

/** Undefined where it is another file by now; throws what the system says. */
async function readWhole(
  path: string,
  fingerprint: string,
  maxBytes: number,
): Promise<Result<Uint8Array<ArrayBuffer>, string> | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const before = await file.stat({ bigint: true });
    if (toFingerprint(before) !== fingerprint) return undefined;
    if (before.size > BigInt(maxBytes)) return err(`it has ${before.size} bytes, more than ${maxBytes}`);
    const bytes = await readBytes(file, Number(before.size));
    const after = await file.stat({ bigint: true });
    return toFingerprint(after) === fingerprint ? ok(bytes) : undefined;
  } finally {
    await file.close();
  }
}

async function readBytes(file: FileHandle, size: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await file.read(bytes, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

/** Another one where the file that the path leads to is another, or was changed. */
const toFingerprint = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  [dev, ino, size, mtimeNs, ctimeNs].join(" ");

/** Not by this thread: there may be 64 MiB of it. */
async function toDigest(read: Result<Uint8Array<ArrayBuffer>, string>): Promise<string> {
  if (!read.ok) return read.error;
  return Buffer.from(await crypto.subtle.digest("SHA-256", read.value)).toString("hex");
}
