// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openSystem } from "@rthooks/sys";
import { splitExtension, toBackupPath } from "../core/backup-name.ts";
import { appendToLog } from "./log-file.ts";

const system = await openSystem();
let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "rthooks-log-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const fresh = (): string => join(mkdtempSync(join(directory, "case-")), "hook.log");
const backups = (path: string): string[] =>
  readdirSync(dirname(path))
    .filter((name) => name !== "hook.log")
    .sort();

test("a backup is named for the time, beside the log", () => {
  const timeMs = Date.parse("2024-07-01T10:57:21.435Z");
  expect(toBackupPath("/a.b/hook.log", timeMs)).toBe("/a.b/hook-2024-07-01T10-57-21.435.log");
  expect(toBackupPath("/a.b/hook", timeMs)).toBe("/a.b/hook-2024-07-01T10-57-21.435");
  expect(splitExtension("/a/.hidden")).toEqual(["/a/.hidden", ""]);
});

test("a log is renamed before the line that would make it too large", async () => {
  const path = fresh();
  for (const line of ["1234\n", "5678\n", "9\n"])
    expect((await appendToLog(system, path, line, 10)).ok).toBe(true);
  expect(readFileSync(path, "utf8")).toBe("9\n");
  const [backup = ""] = backups(path);
  expect(readFileSync(join(dirname(path), backup), "utf8")).toBe("1234\n5678\n");
});

test("a line that is larger than the limit is written all the same", async () => {
  const path = fresh();
  expect((await appendToLog(system, path, `${"x".repeat(100)}\n`, 10)).ok).toBe(true);
  expect(readFileSync(path, "utf8")).toHaveLength(101);
});

test("the newest three backups stay, none older than a week, and no other file is touched", async () => {
  const path = fresh();
  const at = (days: number): string => toBackupPath(path, Date.now() - days * 86_400_000);
  for (const days of [1, 2, 3, 8]) writeFileSync(at(days), "old\n");
  for (const name of ["hook-note.log", "hook-2024.log", "other-2024-07-01T10-57-21.435.log"]) {
    writeFileSync(join(dirname(path), name), "");
  }
  writeFileSync(path, "full\n");
  await appendToLog(system, path, "next\n", 8);
  const left = backups(path).map((name) => join(dirname(path), name));
  expect(left).toEqual(expect.arrayContaining([at(1), at(2)].map(sameMinute)));
  expect(left).toHaveLength(3 + 3);
});

/** The names hold milliseconds, which have passed since. */
function sameMinute(path: string): unknown {
  return expect.stringContaining(path.slice(0, -".SS.mmm.log".length));
}

test("only old backups go when they are too old", async () => {
  const path = fresh();
  writeFileSync(toBackupPath(path, Date.now() - 8 * 86_400_000), "old\n");
  writeFileSync(path, "full\n");
  await appendToLog(system, path, "next\n", 8);
  expect(backups(path)).toHaveLength(1);
});
