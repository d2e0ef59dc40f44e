// SPDX-License-Identifier: Apache-2.0
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { readRecording } from "./read-recording.ts";

const dir = mkdtempSync(join(tmpdir(), "recording-"));
afterAll(() => rmSync(dir, { recursive: true }));

const text = [
  '{"type":"@rthooks.recording","version":1,"atMs":1,"program":"x","machines":[]}',
  '{"type":"@rthooks.end","atMs":5}',
].join("\n");

test.each([
  ["as it is", text],
  ["compressed", gzipSync(text)],
])("a recording %s", (_, content) => {
  const path = join(dir, "recording");
  writeFileSync(path, content);
  expect(readRecording(path)).toMatchObject({ ok: true, value: { startedMs: 1, endedMs: 5 } });
});

test.each<[string, (path: string) => void, string]>([
  ["that is missing", () => {}, "no such file"],
  ["that is a directory", (path) => mkdirSync(path), "it is not a regular file"],
  ["that is a pipe", (path) => void Bun.spawnSync(["mkfifo", path]), "it is not a regular file"],
  [
    "that is too large",
    (path) => {
      writeFileSync(path, "");
      truncateSync(path, 2 ** 40);
    },
    "it has more than 67108864 bytes",
  ],
  [
    "of zeros, compressed",
    (path) => writeFileSync(path, gzipSync(Buffer.alloc(300_000_000))),
    "when decompressed",
  ],
  [
    "that is cut off",
    (path) => writeFileSync(path, gzipSync(text).subarray(0, 40)),
    "gzip: unexpected end of file",
  ],
])("a file %s", (name, make, error) => {
  const path = join(dir, name.replaceAll(" ", "-"));
  make(path);
  const read = readRecording(path);
  expect(read).toEqual({
    ok: false,
    error: expect.stringMatching(new RegExp(`^cannot read ${path}: .*${error}`)),
  });
});
