// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogWriter } from "./log-writer.ts";

const directory = mkdtempSync(join(tmpdir(), "rthooks-log-"));
afterAll(() => rmSync(directory, { recursive: true }));

function open(name: string) {
  const path = join(directory, name);
  const fd = openSync(path, "a");
  const lines = (): readonly string[] =>
    readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  return { fd, lines, close: () => closeSync(fd) };
}

test("every line is written once and in order, however many come at once", async () => {
  const { fd, lines, close } = open("many");
  const log = createLogWriter(fd, "json", "info");
  for (let i = 0; i < 20_000; i++) {
    log.info("line", { i });
    if (i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await log.drain();
  close();
  expect(lines().map((line) => JSON.parse(line).i)).toEqual(Array.from({ length: 20_000 }, (_, i) => i));
});

test("what is not written yet is written by flush", () => {
  const { fd, lines, close } = open("flush");
  const log = createLogWriter(fd, "text", "info");
  log.info("one");
  log.warn("two");
  log.flush();
  close();
  expect(lines()).toEqual([
    expect.stringContaining("msg=one"),
    expect.stringContaining("level=warn msg=two"),
  ]);
});

test("lines below the level are left out", async () => {
  const { fd, lines, close } = open("level");
  const log = createLogWriter(fd, "text", "warn");
  log.debug("no");
  log.info("no");
  log.error("yes");
  await log.drain();
  close();
  expect(lines()).toHaveLength(1);
});

test("a log that cannot be written disturbs nobody", async () => {
  const log = createLogWriter(openSync("/dev/full", "w"), "text", "info");
  log.info("lost");
  await log.drain();
  log.info("lost");
  log.flush();
});

describe("a pipe that takes only a part of each write", () => {
  // Far more than the 64 KiB that a pipe holds (pipe(7)), so the first write cannot be whole.
  const count = 5_000;
  const padding = "x".repeat(60);

  /** A pipe that never makes its writer wait, read by a process that keeps what comes. */
  function openPipe(name: string) {
    const fifo = join(directory, `${name}.fifo`);
    const path = join(directory, name);
    Bun.spawnSync(["mkfifo", fifo]);
    const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    const reader = Bun.spawn(["cat", fifo], { stdout: Bun.file(path) });
    const finish = async (): Promise<readonly number[]> => {
      closeSync(fd);
      await reader.exited;
      const lines = readFileSync(path, "utf8").split("\n");
      expect(lines.pop()).toBe("");
      return lines.map((line) => JSON.parse(line).i);
    };
    return { fd, finish };
  }
  const all = Array.from({ length: count }, (_, i) => i);

  test("gets every line once, whole and in order", async () => {
    const { fd, finish } = openPipe("slow");
    const log = createLogWriter(fd, "json", "info");
    for (const i of all) log.info("line", { i, padding });
    await log.drain();
    expect(await finish()).toEqual(all);
  });

  test("gets every line from the last flush too", async () => {
    const { fd, finish } = openPipe("slow-flush");
    const log = createLogWriter(fd, "json", "info");
    for (const i of all) log.info("line", { i, padding });
    log.flush();
    expect(await finish()).toEqual(all);
  });
});
