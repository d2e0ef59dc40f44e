// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stageCopy, stageFile } from "@rthooks/sys/atomic-file";
import { orThrow, placeText, publishUndoable, removeLeftovers } from "./place-file.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "place-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("a copy has its final mode before its first byte", async () => {
  const source = join(dir, "..", `source-${process.pid}`);
  writeFileSync(source, Buffer.alloc(64 * 1024 * 1024));
  let isOver = false;
  const staging = stageCopy(source, join(dir, "program"), { mode: 0o755 }).finally(() => {
    isOver = true;
  });
  const modes = new Set<number>();
  while (!isOver) {
    for (const name of readdirSync(dir)) {
      const stat = statSync(join(dir, name), { throwIfNoEntry: false });
      if (stat !== undefined && stat.size > 0) modes.add(stat.mode & 0o777);
    }
    await Bun.sleep(0);
  }
  await staging;
  rmSync(source);
  expect([...modes]).toEqual([0o755]);
});

test("sets the owner and the mode", async () => {
  const path = join(dir, "file");
  placeText(path, "x", { mode: 0o640, owner: { uid: 1, gid: 2 } });
  const { mode, uid, gid } = statSync(path);
  expect([mode & 0o7777, uid, gid]).toEqual([0o640, 1, 2]);
});

test("undo restores the previous file, settle removes it", async () => {
  const path = join(dir, "file");
  writeFileSync(path, "old");
  const stage = () => orThrow(stageFile(path, "new", { mode: 0o600 }));
  const first = publishUndoable(stage());
  await first.undo();
  expect(readFileSync(path, "utf8")).toBe("old");
  const second = publishUndoable(stage());
  await second.settle();
  expect([readFileSync(path, "utf8"), readdirSync(dir)]).toEqual(["new", ["file"]]);
});

test("removes the staged files of a killed run, regardless of their age", async () => {
  orThrow(stageFile(join(dir, "file"), "half", { mode: 0o600 }));
  writeFileSync(join(dir, "other"), "");
  removeLeftovers(dir);
  expect(readdirSync(dir)).toEqual(["other"]);
});
