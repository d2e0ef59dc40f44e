// SPDX-License-Identifier: Apache-2.0
import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DirectoryWatch, openDirectoryWatch, type WatchedDirectory } from "./directory-watch.ts";
import { decodeInotifyEvents } from "./inotify-events.ts";

const base = mkdtempSync(join(tmpdir(), "rthooks-watch-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

describe("a directory watch", () => {
  let watch: DirectoryWatch;
  let directory = "";
  let seen: string[] = [];
  const note = (names: ReadonlySet<string> | undefined): void => void seen.push(...(names ?? ["lost count"]));
  const until = async (...names: string[]): Promise<void> => {
    while (!names.every((name) => seen.includes(name))) await Bun.sleep(5);
  };
  const add = (path: string, onChange = note): WatchedDirectory => {
    const added = watch.add(path, onChange);
    if (!added.ok) throw new Error(added.error.message);
    return added.value;
  };

  beforeEach(() => {
    directory = mkdtempSync(join(base, "d-"));
    seen = [];
    watch = openDirectoryWatch();
  });
  afterEach(() => watch.close());

  test("reports what is written, renamed, removed, and given another mode", async () => {
    add(directory);
    const path = join(directory, "a");
    writeFileSync(path, "");
    await until("a");
    for (const change of [
      () => writeFileSync(path, "x"),
      () => chmodSync(path, 0o600),
      () => renameSync(path, join(directory, "b")),
      () => rmSync(join(directory, "b")),
    ]) {
      await Bun.sleep(50);
      seen = [];
      change();
      await until(readdirSync(directory)[0] ?? "b");
    }
  });

  test("reports the end of a directory, which another of the same name does not bring back", async () => {
    const inner = join(directory, "inner");
    mkdirSync(inner);
    const first = add(inner);
    rmdirSync(inner);
    await until("");
    mkdirSync(inner);
    const second = add(inner);
    expect(second.id).not.toBe(first.id);
    // It must not end the watch of the new one.
    first.close();
    writeFileSync(join(inner, "new"), "");
    await until("new");
  });

  test("serves several listeners of one directory until each of them ends", async () => {
    const others: string[] = [];
    const first = add(directory);
    const second = add(directory, (names) => void others.push(...(names ?? [])));
    expect(second.id).toBe(first.id);
    writeFileSync(join(directory, "both"), "");
    await until("both");
    expect(others).toContain("both");
    second.close();
    second.close();
    writeFileSync(join(directory, "one"), "");
    await until("one");
    expect(others).not.toContain("one");
  });

  test("reports the changes of one moment together", async () => {
    const calls: (ReadonlySet<string> | undefined)[] = [];
    add(directory, (names) => void calls.push(names));
    for (let at = 0; at < 500; at++) mkdirSync(join(directory, `d-${at}`));
    const count = (): number => new Set(calls.flatMap((names) => [...(names ?? [])])).size;
    while (count() < 500) await Bun.sleep(5);
    expect(calls.length).toBeLessThan(100);
  });

  test("says that names are missing where the kernel has lost count", async () => {
    const files = ["a", "b"].map((name) => join(directory, name));
    for (const path of files) writeFileSync(path, "");
    add(directory);
    const limit = Number(readFileSync("/proc/sys/fs/inotify/max_queued_events", "utf8"));
    // Equal events in a row are one. The event loop reads nothing meanwhile.
    for (let made = 0; made <= limit; made += 2) for (const path of files) chmodSync(path, 0o600);
    await until("lost count");
  });

  test("a missing directory is an error, and so is a file", () => {
    writeFileSync(join(directory, "file"), "");
    expect(watch.add(join(directory, "none"), note)).toMatchObject({ error: { code: "ENOENT" } });
    expect(watch.add(join(directory, "file"), note)).toMatchObject({ error: { code: "ENOTDIR" } });
    expect(watch.problem()).toBe("");
  });
});

test("a process with a closed watch ends, and one in whose directory nothing happens is not woken", async () => {
  const script = `
    const { openDirectoryWatch } = require(${JSON.stringify(join(import.meta.dir, "directory-watch.ts"))});
    const { readFileSync } = require("node:fs");
    const wakeUps = () => Number(/^voluntary_ctxt_switches:\\s+(\\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);
    const watch = openDirectoryWatch();
    watch.add(${JSON.stringify(mkdtempSync(join(base, "d-")))}, () => {});
    setTimeout(() => {
      const before = wakeUps();
      setTimeout(() => { console.log(wakeUps() - before); watch.close(); }, 2000);
    }, 500);`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
  // The second timer, and some that the runtime has for itself. A look every 20 ms would be 100.
  expect(Number(await new Response(child.stdout).text())).toBeLessThan(50);
  expect(await child.exited).toBe(0);
});

test("without descriptors each watch is an error, and the problem says why", async () => {
  const script = `
    const { openDirectoryWatch } = require(${JSON.stringify(join(import.meta.dir, "directory-watch.ts"))});
    const { openSync, closeSync } = require("node:fs");
    const opened = [];
    try { for (;;) opened.push(openSync("/dev/null")); } catch {}
    const watch = openDirectoryWatch();
    const added = watch.add("/tmp", () => {});
    for (const fd of opened) closeSync(fd);
    console.log(JSON.stringify([added.ok, watch.problem()]));
    watch.close();`;
  const limited = ["sh", "-c", 'ulimit -n 128 && exec "$@"', "sh", process.execPath, "-e", script];
  const child = Bun.spawn(limited, { stdout: "pipe" });
  const printed: unknown = JSON.parse(await new Response(child.stdout).text());
  expect(printed).toEqual([false, "inotifyInit1: too many open files"]);
});

test("bytes that are not whole events are not decoded", () => {
  const event = new Uint8Array(32);
  const view = new DataView(event.buffer);
  view.setInt32(0, 7, true);
  view.setUint32(4, 0x100, true);
  view.setUint32(12, 16, true);
  event.set(new TextEncoder().encode("näme"), 16);
  expect(decodeInotifyEvents(event)).toEqual([{ watch: 7, mask: 0x100, name: "näme" }]);
  expect(decodeInotifyEvents(new Uint8Array())).toEqual([]);
  for (const length of [1, 15, 16, 31])
    expect(decodeInotifyEvents(event.subarray(0, length))).toBeUndefined();
});
