// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { watchSocket } from "./watch-socket.ts";

let directory = "";
let watch: ReturnType<typeof watchSocket>;
let changes = 0;
const until = async (count: number): Promise<void> => {
  while (changes < count) await Bun.sleep(5);
};
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), "rthooks-nri-")), "nri");
  mkdirSync(directory);
  changes = 0;
  watch = watchSocket(join(directory, "nri.sock"), () => changes++);
});
afterEach(() => {
  watch.close();
  rmSync(join(directory, ".."), { recursive: true });
});

test("a change of the socket is reported, and a change of another file is not", async () => {
  watch.renew();
  writeFileSync(join(directory, "other"), "");
  await Bun.sleep(100);
  expect(changes).toBe(0);
  writeFileSync(join(directory, "nri.sock"), "");
  await until(1);
});

test("a directory that was replaced is watched from the next renewal on", async () => {
  watch.renew();
  renameSync(directory, `${directory}.old`);
  mkdirSync(directory);
  watch.renew();
  writeFileSync(join(`${directory}.old`, "nri.sock"), "");
  await Bun.sleep(100);
  expect(changes).toBe(0);
  writeFileSync(join(directory, "nri.sock"), "");
  await until(1);
});

test("a missing directory is not an error", () => {
  rmSync(directory, { recursive: true });
  watch.renew();
  mkdirSync(directory);
  watch.renew();
});
