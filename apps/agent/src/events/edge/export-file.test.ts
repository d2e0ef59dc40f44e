// SPDX-License-Identifier: Apache-2.0
import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type ExportFile, openExportFile } from "./export-file.ts";

const root = mkdtempSync(join(tmpdir(), "rthooks-export-"));
afterAll(() => rmSync(root, { recursive: true }));

let count = 0;
let directory = "";
let path = "";
let nowMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
let errors: string[] = [];
const opened: ExportFile[] = [];

beforeEach(() => {
  directory = join(root, String(count++));
  mkdirSync(directory);
  path = join(directory, "events.log");
  errors = [];
});
afterEach(() => {
  for (const file of opened.splice(0)) file.close();
});

const open = (options: Partial<Parameters<typeof openExportFile>[0]> = {}) => {
  const file = openExportFile(
    { path, maxBytes: 100, maxBackups: 2, compresses: false, mode: 0o600, ...options },
    () => nowMs++,
    (error) => errors.push(error),
  );
  if (file.ok) opened.push(file.value);
  return file;
};
const mustOpen = (options: Partial<Parameters<typeof openExportFile>[0]> = {}): ExportFile => {
  const file = open(options);
  if (!file.ok) throw new Error(file.error);
  return file.value;
};
const line = (text: string): Uint8Array => Buffer.from(`${text}\n`);

describe("the export file", () => {
  test("has the lines, also those of an earlier run", () => {
    writeFileSync(path, "earlier\n");
    const file = mustOpen();
    expect(file.write(line("one")).ok).toBe(true);
    expect(readFileSync(path, "utf8")).toBe("earlier\none\n");
  });

  test("has the mode, whatever the umask and the mode before are", () => {
    writeFileSync(path, "");
    chmodSync(path, 0o666);
    mustOpen({ mode: 0o640 });
    expect(statSync(path).mode & 0o7777).toBe(0o640);
    const file = mustOpen({ mode: 0o660 });
    file.write(line("a"));
    file.rotate();
    expect(readdirSync(directory).map((name) => statSync(join(directory, name)).mode & 0o7777)).toEqual([
      ...[0o660, 0o660],
    ]);
  });

  test("is rotated before it is too large, and the oldest files go", () => {
    const file = mustOpen();
    for (const text of ["a", "b", "c", "d"]) expect(file.write(line(text.repeat(60))).ok).toBe(true);
    const names = readdirSync(directory).toSorted();
    expect(names.length).toBe(3);
    expect(names.slice(0, 2).every((name) => /^events-2026-01-02T03-04-\d\d\.\d{3}\.log$/.test(name))).toBe(
      true,
    );
    expect(names.map((name) => readFileSync(join(directory, name), "utf8")[0])).toEqual(["b", "c", "d"]);
    expect(errors).toEqual([]);
  });

  test("a batch that is larger than a file is one file", () => {
    const file = mustOpen();
    file.write(line("x".repeat(500)));
    file.write(line("y"));
    expect(readFileSync(path, "utf8")).toBe("y\n");
  });

  test("other files beside it are left alone", () => {
    const others = [
      "events-old.log",
      "events-2026.log",
      "events.log.1",
      "my-events-2026-01-02T03-04-05.678.log",
    ];
    for (const name of others) writeFileSync(join(directory, name), "");
    const file = mustOpen({ maxBackups: 1 });
    for (let i = 0; i < 4; i++) file.write(line("z".repeat(90)));
    for (const name of others) expect(existsSync(join(directory, name))).toBe(true);
    expect(readdirSync(directory).length).toBe(others.length + 2);
  });

  test("with 0 backups all are kept", () => {
    const file = mustOpen({ maxBackups: 0 });
    for (let i = 0; i < 5; i++) file.write(line("z".repeat(90)));
    expect(readdirSync(directory).length).toBe(5);
  });

  test("what a killed agent had begun to compress is removed at the next start, and nothing else", () => {
    const older = "events-2026-01-02T03-04-05.678.log";
    const kept = [older, `${older}.gz`, "events-x.log.gz.tmp", "other.gz.tmp"];
    for (const name of [...kept, `${older}.gz.tmp`]) writeFileSync(join(directory, name), "");
    mustOpen();
    expect(readdirSync(directory).toSorted()).toEqual(["events.log", ...kept].toSorted());
    expect(errors).toEqual([]);
  });

  test("rotated files are compressed", async () => {
    const file = mustOpen({ compresses: true });
    file.write(line("a".repeat(90)));
    file.rotate();
    const find = () => readdirSync(directory).find((name) => name.endsWith(".log.gz"));
    while (find() === undefined || readdirSync(directory).length > 2) await Bun.sleep(5);
    expect(gunzipSync(readFileSync(join(directory, find() ?? ""))).toString()).toBe(`${"a".repeat(90)}\n`);
    expect(statSync(join(directory, find() ?? "")).mode & 0o777).toBe(0o600);
  });

  test("an empty file is not rotated", () => {
    const file = mustOpen();
    expect(file.rotate().ok).toBe(true);
    expect(readdirSync(directory)).toEqual(["events.log"]);
  });

  test("is made again when another program has moved or removed it", () => {
    const file = mustOpen();
    file.write(line("one"));
    renameSync(path, `${path}.moved`);
    file.write(line("two"));
    expect(readFileSync(path, "utf8")).toBe("two\n");
    unlinkSync(path);
    file.write(line("three"));
    expect(readFileSync(path, "utf8")).toBe("three\n");
  });

  test("a link, a directory and a FIFO are refused", () => {
    const target = join(directory, "target");
    writeFileSync(target, "untouched");
    symlinkSync(target, path);
    expect(open()).toEqual({ ok: false, error: `cannot open ${path}: it is a symbolic link` });
    expect(readFileSync(target, "utf8")).toBe("untouched");
    unlinkSync(path);
    mkdirSync(path);
    expect(open()).toMatchObject({ ok: false });
    rmSync(path, { recursive: true });
    expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0);
    expect(open()).toMatchObject({ ok: false });
  });

  test("a path that cannot be used later is an error, and is used again when it can", () => {
    const file = mustOpen();
    renameSync(directory, `${directory}.moved`);
    symlinkSync(directory, directory);
    expect(file.write(line("x"))).toMatchObject({ ok: false });
    expect(file.rotate()).toMatchObject({ ok: false });
    unlinkSync(directory);
    mkdirSync(directory);
    expect(file.write(line("y")).ok).toBe(true);
    expect(readFileSync(path, "utf8")).toBe("y\n");
  });

  test("a link that takes its place later is not followed", () => {
    const file = mustOpen();
    const target = join(directory, "target");
    writeFileSync(target, "untouched");
    unlinkSync(path);
    symlinkSync(target, path);
    expect(file.write(line("x"))).toEqual({ ok: false, error: `cannot open ${path}: it is a symbolic link` });
    expect(readFileSync(target, "utf8")).toBe("untouched");
  });
});

describe("on a full disk", () => {
  const mountPoint = join(root, "small");
  const mount = (): void => {
    mkdirSync(mountPoint, { recursive: true });
    const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", mountPoint]);
    if (mounted.exitCode !== 0) throw new Error(mounted.stderr.toString());
    path = join(mountPoint, "events.log");
  };
  afterEach(() => {
    for (const file of opened.splice(0)) file.close();
    Bun.spawnSync(["umount", mountPoint]);
  });

  test("lines are written whole or not at all, and again when there is room", () => {
    mount();
    const file = mustOpen({ maxBytes: 1e9 });
    const lines = line("0123456789abcdef".repeat(1000));
    let written = 0;
    while (file.write(lines).ok) written++;
    expect(written).toBeGreaterThan(1);
    expect(statSync(path).size).toBe(written * lines.length);
    expect(file.write(lines)).toMatchObject({ ok: false, error: expect.stringContaining("ENOSPC") });
    writeFileSync(path, "");
    expect(file.write(lines).ok).toBe(true);
    expect(readFileSync(path).equals(Buffer.from(lines))).toBe(true);
  });
});
