// SPDX-License-Identifier: Apache-2.0
// Each line once, whatever happens to the file.
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBackupPath } from "@rthooks/hold/backup-name";
import { type FollowedLog, followLog } from "./followed-log.ts";
import type { Tail } from "./tail-start.ts";

const root = mkdtempSync(join(tmpdir(), "rthooks-followed-"));
afterAll(() => rmSync(root, { recursive: true }));

let count = 0;
let opened: FollowedLog | undefined;
afterEach(async () => await opened?.close());

function open(options: { readonly tail?: Tail; readonly maxLineBytes?: number } = {}) {
  const directory = join(root, `${++count}`);
  mkdirSync(directory);
  const path = join(directory, "hook.log");
  const lines: string[] = [];
  const onLine = (line: Uint8Array): void => void lines.push(new TextDecoder().decode(line));
  let tooLong = 0;
  const log = followLog(path, {
    tail: { bytes: 1000 },
    maxLineBytes: 1000,
    ...options,
    onLine,
    onTooLong: () => tooLong++,
  });
  opened = log;
  return {
    ...{ directory, path, log },
    countTooLong: () => tooLong,
    write: (text: string, file = path) => appendFileSync(file, text),
    /** As the hook that finds the log full does, at this time. */
    rotate(atMs: number): string {
      const backup = toBackupPath(path, Math.floor(atMs / 1000) * 1000);
      renameSync(path, backup);
      return backup;
    },
    /** The lines that one look finds. */
    async look() {
      expect((await log.look()).problem).toBe("");
      return lines.splice(0);
    },
  };
}

const countDescriptors = (directory: string): number =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory);
    } catch {
      return false;
    }
  }).length;

test("lines that are appended, also in parts", async () => {
  const { look, write } = open();
  write("a\nb\n");
  expect(await look()).toEqual(["a", "b"]);
  expect(await look()).toEqual([]);
  write("c");
  expect(await look()).toEqual([]);
  write("d\ne\n");
  expect(await look()).toEqual(["cd", "e"]);
});

test("of a file that exists at the start only its end, from a whole line on", async () => {
  const { look, write } = open({ tail: { bytes: 10 } });
  write("first\nsecond\nthird\nfour\n");
  expect(await look()).toEqual(["four"]);
});

test("a file that appears later is read from its start", async () => {
  const { look, write } = open({ tail: { bytes: 3 } });
  expect(await look()).toEqual([]);
  write("first\nsecond\n");
  expect(await look()).toEqual(["first", "second"]);
});

test("a file that is emptied and written again", async () => {
  const { path, look, write } = open();
  write("one\ntwo\npart");
  await look();
  truncateSync(path);
  write("new\n");
  expect(await look()).toEqual(["new"]);
});

describe("rotation", () => {
  test("both files are read, and the renamed one for those that have it open", async () => {
    const { look, write, rotate } = open({ tail: { bytes: 3 } });
    write("a\n");
    await look();
    write("b\n");
    const backup = rotate(Date.now());
    write("c\n");
    expect((await look()).toSorted()).toEqual(["b", "c"]);
    write("late\n", backup);
    write("d\n");
    expect((await look()).toSorted()).toEqual(["d", "late"]);
    expect(await look()).toEqual([]);
  });

  test("twice between two looks: the file in between is read whole", async () => {
    const { look, write, rotate } = open({ tail: { bytes: 3 } });
    const now = Date.now();
    write("a\n");
    await look();
    rotate(now + 1000);
    write("b1\nb2\n");
    rotate(now + 2000);
    write("c\n");
    expect((await look()).toSorted()).toEqual(["b1", "b2", "c"]);
    expect(await look()).toEqual([]);
  });

  test("backups from before are not read", async () => {
    const { path, look, write, rotate } = open();
    writeFileSync(toBackupPath(path, Date.now() - 3_600_000), "old\n");
    write("a\n");
    await look();
    rotate(Date.now());
    write("b\n");
    expect(await look()).toEqual(["b"]);
  });

  test("many times, and no descriptor more stays open than there are backups", async () => {
    const { directory, look, write, rotate, log } = open();
    const now = Date.now();
    write("first\n");
    const seen = [...(await look())];
    for (let n = 1; n <= 40; n++) {
      rotate(now + n * 1000);
      write(`${n}\n`);
      if (n % 3 === 0) seen.push(...(await look()));
    }
    seen.push(...(await look()));
    expect(seen).toEqual(["first", ...Array.from({ length: 40 }, (_, n) => `${n + 1}`)]);
    expect(countDescriptors(directory)).toBeLessThanOrEqual(9);
    await log.close();
    expect(countDescriptors(directory)).toBe(0);
  });
});

test("a directory that is removed and made again", async () => {
  const { directory, path, log, look, write } = open();
  write("a\n");
  await look();
  rmSync(directory, { recursive: true });
  expect((await log.look()).problem).toBe("its directory does not exist");
  mkdirSync(directory);
  writeFileSync(path, "b\n");
  expect(await look()).toEqual(["b"]);
});

test("a file whose place another one takes", async () => {
  const { directory, path, look, write } = open();
  write("a\n");
  await look();
  writeFileSync(join(directory, "other"), "b\n");
  renameSync(join(directory, "other"), path);
  write("c\n");
  expect(await look()).toEqual(["b", "c"]);
});

describe("a path that leads to", () => {
  test.each<[string, (path: string) => void, string]>([
    ["a symlink", (path) => symlinkSync("/etc/passwd", path), "it is a symbolic link"],
    ["a FIFO without a writer", (path) => void Bun.spawnSync(["mkfifo", path]), "it is not a regular file"],
    ["a directory", (path) => void mkdirSync(path), "it is not a regular file"],
  ])("%s", async (_, make, problem) => {
    const { path, log, look, write } = open();
    make(path);
    expect(await log.look()).toEqual({ hasMore: false, problem });
    rmSync(path, { recursive: true });
    expect(await look()).toEqual([]);
    write("a\n");
    expect(await look()).toEqual(["a"]);
  });

  test("a directory of another path", async () => {
    const log = followLog("/proc/self/status/hook.log", {
      tail: { bytes: 1 },
      maxLineBytes: 1,
      onLine: () => {},
    });
    expect((await log.look()).problem).toContain("ENOTDIR");
  });
});

test("much is read in parts, between which the path is looked at, and a line that is too long is left out", async () => {
  const { log, look, write, countTooLong } = open({ maxLineBytes: 100 });
  await look();
  for (let n = 0; n < 100; n++) write("x".repeat(100_000));
  write("\nnext\n");
  expect(await log.look()).toEqual({ hasMore: true, problem: "" });
  expect(await look()).toEqual(["next"]);
  expect(countTooLong()).toBe(1);
  write(`${"x".repeat(101)}\nlast\n`);
  expect(await look()).toEqual(["last"]);
  expect(countTooLong()).toBe(2);
});

test("bytes that are not UTF-8", async () => {
  const { path, look } = open();
  await look();
  writeFileSync(path, new Uint8Array([0xff, 0x61, 0xc3, 0x0a]));
  expect(await look()).toEqual(["\ufffda\ufffd"]);
});

describe("of a file that exists at the start", () => {
  const text = "one\ntwo\nthree\nunfin";
  test.each<[string, string, Tail, string[]]>([
    [
      "the last two lines, and what has not ended",
      text,
      { bytes: 100, lines: 2 },
      ["two", "three", "unfinished"],
    ],
    ["no line, but what has not ended", text, { bytes: 100, lines: 0 }, ["unfinished"]],
    [
      "all lines, where there are fewer",
      text,
      { bytes: 100, lines: 9 },
      ["one", "two", "three", "unfinished"],
    ],
    ["whole lines of the part that is searched", text, { bytes: 8, lines: 9 }, ["unfinished"]],
    ["a part that begins with a line", text, { bytes: 11, lines: 9 }, ["three", "unfinished"]],
    ["empty lines", "\n\n\n", { bytes: 100, lines: 2 }, ["", "", "ished"]],
    ["nothing of a long line that has not ended", "xxxxxxxxxxxxx", { bytes: 5, lines: 3 }, []],
    ["an empty file", "", { bytes: 100, lines: 3 }, ["ished"]],
    ["a part without lines that begins with one", text, { bytes: 11 }, ["three", "unfinished"]],
  ])("%s", async (_, before, tail, lines) => {
    const { write, look } = open({ tail });
    write(before);
    const found = await look();
    write("ished\nnext\n");
    expect([...found, ...(await look())]).toEqual([...lines, "next"]);
  });
});
