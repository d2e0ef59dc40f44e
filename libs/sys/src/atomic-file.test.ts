// SPDX-License-Identifier: Apache-2.0

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeFile, removeStaged, replaceFile, stageFile, writeAll } from "./atomic-file.ts";

let base = "";
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "rthooks-atomic-"));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

const freshDirectory = (): string => mkdtempSync(join(base, "d-"));

test("a file is replaced whole, with its mode, whatever the umask is", () => {
  const directory = freshDirectory();
  const path = join(directory, "kept.json");
  const umask = process.umask(0o077);
  expect(replaceFile(path, "first", { mode: 0o644 })).toEqual({ ok: true, value: undefined });
  expect(statSync(path).mode & 0o777).toBe(0o644);
  process.umask(0);
  expect(replaceFile(path, new Uint8Array(3_000_000).fill(120), { mode: 0o600 }).ok).toBe(true);
  process.umask(umask);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(path, "utf8")).toBe("x".repeat(3_000_000));
  expect(readdirSync(directory)).toEqual(["kept.json"]);
});

test("a staged file has its final mode before it has a byte, and a name that no reader of the directory takes", () => {
  const directory = freshDirectory();
  const path = join(directory, "a.json");
  const umask = process.umask(0);
  let modeWhileWritten = 0;
  const staged = stageFile(
    path,
    (fd) => {
      const [name = ""] = readdirSync(directory);
      modeWhileWritten = statSync(join(directory, name)).mode & 0o777;
      writeAll(fd, new TextEncoder().encode("{}"));
    },
    { mode: 0o600 },
  );
  process.umask(umask);
  expect(modeWhileWritten).toBe(0o600);
  expect(existsSync(path)).toBe(false);
  expect(readdirSync(directory).filter((name) => name.endsWith(".json"))).toEqual([]);
  if (staged.ok) staged.value.discard();
  expect(readdirSync(directory)).toEqual([]);
});

test("a file belongs to the owner that is given", () => {
  const path = join(freshDirectory(), "owned");
  expect(replaceFile(path, "x", { mode: 0o640, owner: { uid: 1, gid: 2 } }).ok).toBe(true);
  expect(statSync(path)).toMatchObject({ uid: 1, gid: 2 });
});

test("what a killed writer has left is removed, and hinders no later one", () => {
  const directory = freshDirectory();
  const path = join(directory, "a.json");
  expect(stageFile(path, "half", { mode: 0o644 }).ok).toBe(true);
  expect(replaceFile(path, "whole", { mode: 0o644 }).ok).toBe(true);
  expect(readdirSync(directory)).toEqual(["a.json"]);
  const other = stageFile(join(directory, "b.json"), "half", { mode: 0o644 });
  expect(replaceFile(path, "again", { mode: 0o644 }).ok).toBe(true);
  expect(readdirSync(directory)).toHaveLength(2);
  removeStaged(directory, { minAgeMs: 60_000 });
  expect(readdirSync(directory)).toHaveLength(2);
  if (other.ok) utimesSync(other.value.path, 0, 0);
  removeStaged(directory, { minAgeMs: 60_000 });
  expect(readdirSync(directory)).toEqual(["a.json"]);
});

test("a name may be as long as the file system allows", () => {
  const path = join(freshDirectory(), "n".repeat(255));
  expect(replaceFile(path, "x", { mode: 0o644 }).ok).toBe(true);
  expect(removeFile(path).ok).toBe(true);
  expect(existsSync(path)).toBe(false);
  expect(removeFile(path).ok).toBe(true);
});

test("an error says which call failed on what, and leaves nothing", () => {
  const directory = freshDirectory();
  const isDirectory = join(directory, "taken");
  mkdirSync(isDirectory);
  writeFileSync(join(isDirectory, "x"), "");
  expect(replaceFile(isDirectory, "x", { mode: 0o644 })).toMatchObject({
    ok: false,
    error: { call: "rename", subject: isDirectory, code: "EISDIR" },
  });
  expect(readdirSync(directory)).toEqual(["taken"]);
  expect(replaceFile("/proc/none/x", "x", { mode: 0o644 })).toMatchObject({ error: { code: "ENOENT" } });
});

describe("on a file system of 64 KiB", () => {
  let full = "";
  beforeAll(() => {
    full = freshDirectory();
    const { exitCode, stderr } = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", full]);
    if (exitCode !== 0) throw new Error(stderr.toString());
  });
  afterAll(() => void Bun.spawnSync(["umount", full]));

  test("a file that does not fit is an error, and the one that was there stays as it was", () => {
    const path = join(full, "kept");
    expect(replaceFile(path, "good", { mode: 0o600 }).ok).toBe(true);
    // Of this the kernel takes a part before it takes nothing.
    expect(replaceFile(path, "y".repeat(100_000), { mode: 0o600 })).toMatchObject({
      ok: false,
      error: { call: "write", code: "ENOSPC" },
    });
    expect(readFileSync(path, "utf8")).toBe("good");
    expect(readdirSync(full)).toEqual(["kept"]);
    expect(replaceFile(path, "z".repeat(30_000), { mode: 0o600 }).ok).toBe(true);
  });
});
