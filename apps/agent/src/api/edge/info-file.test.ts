// SPDX-License-Identifier: Apache-2.0
import { afterAll, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeInfoFile } from "./info-file.ts";

const directory = mkdtempSync(join(tmpdir(), "rth-info-"));
afterAll(() => rmSync(directory, { recursive: true }));

const warnings: string[] = [];
const log = {
  debug: () => {},
  info: () => {},
  warn: (text: string) => void warnings.push(text),
  error: () => {},
};
const info = {
  serverAddress: "unix:///run/a.sock",
  metricsAddress: ":2112",
  mapDirectory: "/sys/fs/bpf/tetragon",
};

test("the file is there while the agent is, in a directory that it may have to make", () => {
  const path = join(directory, "run", "tetragon-info.json");
  const remove = writeInfoFile(path, info, log);
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({
    ...{ server_address: "unix:///run/a.sock", metrics_address: ":2112", map_dir: "/sys/fs/bpf/tetragon" },
    pid: process.pid,
  });
  expect(readdirSync(join(directory, "run"))).toEqual(["tetragon-info.json"]);
  remove();
  expect(existsSync(path)).toBe(false);
  remove();
});

test("another agent's is left to that one", () => {
  const path = join(directory, "other.json");
  const remove = writeInfoFile(path, info, log);
  writeFileSync(path, "{}");
  remove();
  expect(readFileSync(path, "utf8")).toBe("{}");
});

test("what a killed agent of the same process id was writing hinders no later one", () => {
  const path = join(directory, "leftover", "info.json");
  mkdirSync(join(directory, "leftover"));
  for (const name of [`info.json.${process.pid}`, ".tetragon-staged-info.json.0123456789ab"])
    writeFileSync(join(directory, "leftover", name), "{");
  writeInfoFile(path, info, log);
  expect(warnings).toEqual([]);
  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ pid: process.pid });
  expect(existsSync(join(directory, "leftover", ".tetragon-staged-info.json.0123456789ab"))).toBe(false);
});

test("a place where nothing can be written is a warning; no place is none", () => {
  writeInfoFile("", info, log)();
  expect(warnings).toEqual([]);
  writeInfoFile("/proc/none/info.json", info, log)();
  expect(warnings).toHaveLength(1);
});
