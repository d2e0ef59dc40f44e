// SPDX-License-Identifier: Apache-2.0
import { afterAll, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
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
