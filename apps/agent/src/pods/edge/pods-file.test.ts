// SPDX-License-Identifier: Apache-2.0

import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogFields } from "@rthooks/log";
import { openDirectoryWatch } from "@rthooks/sys/directory-watch";
import { startParseThread } from "../../program/edge/parse-thread.ts";
import { openPodsFile, type PodsFile } from "./pods-file.ts";

const base = mkdtempSync(join(tmpdir(), "rthooks-pods-"));
const parser = startParseThread();
const directories = openDirectoryWatch();
/** What no event reports is not seen in time. */
const times = { activeMs: 10, watchedMs: 600_000, unwatchedMs: 600_000 };
afterAll(() => {
  directories.close();
  parser.close();
  rmSync(base, { recursive: true });
});

const dump = (...names: string[]): string =>
  JSON.stringify({
    kind: "List",
    items: names.map((name) => ({ kind: "Pod", metadata: { name, namespace: "shop", uid: `uid-${name}` } })),
  });

const toYaml = (...names: string[]): string =>
  `kind: List\nitems:\n${names
    .map((name) => `- kind: Pod\n  metadata:\n    name: ${name}\n    namespace: shop\n    uid: uid-${name}\n`)
    .join("")}`;

describe("the pods file", () => {
  let directory = "";
  let path = "";
  let open: PodsFile | undefined;
  let lines: string[] = [];
  const note = (message: string, fields?: LogFields): void =>
    void lines.push(`${message} ${fields?.["err"] ?? ""}`);
  const log = { debug: note, info: note, warn: note, error: note };
  const knows = (name: string): boolean =>
    open?.source.find({ uid: `uid-${name}`, namespace: "", name: "" }) !== undefined;
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await Bun.sleep(5);
  };

  beforeEach(() => {
    lines = [];
    directory = mkdtempSync(join(base, "d-"));
    path = join(directory, "pods.json");
  });
  afterEach(() => open?.close());

  test("is read before the first hook call", async () => {
    writeFileSync(path, dump("a"));
    open = await openPodsFile({ path, parser, log, directories, times });
    expect(knows("a")).toBeTrue();
  });

  test("is read again when it is written", async () => {
    writeFileSync(path, dump("a"));
    open = await openPodsFile({ path, parser, log, directories, times });
    writeFileSync(path, dump("b"));
    await until(() => knows("b"));
    await until(() => !knows("a"));
  });

  test("deletes no pod while it is being written, and changes none", async () => {
    writeFileSync(path, toYaml("a", "b", "c"));
    open = await openPodsFile({ path, parser, log, directories, times });
    const deleted: string[] = [];
    open.source.subscribe(({ kind, pod }) => void (kind === "deleted" && deleted.push(pod.name)));
    const whole = toYaml("a", "b", "c", "d");
    // A part of it is a whole document too.
    for (let end = 0; end < whole.length; end += 40) {
      writeFileSync(path, whole.slice(0, end));
      await Bun.sleep(5);
    }
    writeFileSync(path, whole);
    await until(() => knows("d"));
    expect(deleted).toEqual([]);
  });

  test("with a byte order mark is read, and what is not UTF-8 is refused", async () => {
    writeFileSync(path, `\uFEFF${dump("a")}`);
    open = await openPodsFile({ path, parser, log, directories, times });
    expect(knows("a")).toBeTrue();
    writeFileSync(path, Buffer.from(`\uFEFF${dump("b")}`, "utf16le"));
    await until(() => open?.problem().includes("UTF-8") === true);
    expect(knows("a")).toBeTrue();
  });

  test("is read again when another file is renamed over it", async () => {
    writeFileSync(path, dump("a"));
    open = await openPodsFile({ path, parser, log, directories, times });
    writeFileSync(`${path}.new`, dump("b"));
    renameSync(`${path}.new`, path);
    await until(() => knows("b"));
  });

  test("is read again when the directory behind a link is swapped", async () => {
    for (const name of ["v1", "v2"]) mkdirSync(join(directory, name));
    writeFileSync(join(directory, "v1", "pods.json"), dump("a"));
    writeFileSync(join(directory, "v2", "pods.json"), dump("b"));
    symlinkSync("v1", join(directory, "..data"));
    symlinkSync("..data/pods.json", path);
    open = await openPodsFile({ path, parser, log, directories, times });
    expect(knows("a")).toBeTrue();
    symlinkSync("v2", join(directory, "..data_tmp"));
    renameSync(join(directory, "..data_tmp"), join(directory, "..data"));
    await until(() => knows("b"));
  });

  test("may come into being after the agent", async () => {
    open = await openPodsFile({ path, parser, log, directories, times });
    expect(lines.join()).toContain("ENOENT");
    writeFileSync(path, dump("a"));
    await until(() => knows("a"));
  });

  test.each([
    {
      name: "bad content",
      spoil: () => writeFileSync(path, dump("").replace('"uid-"', "7")),
      says: "items.0.metadata",
    },
    { name: "no file", spoil: () => rmSync(path), says: "ENOENT" },
    {
      name: "a directory",
      spoil: () => {
        rmSync(path);
        mkdirSync(path);
      },
      says: "regular file",
    },
    {
      name: "a file that is too large",
      spoil: () => truncateSync(path, 65 * 1024 * 1024),
      says: "bytes, more than",
    },
  ])("$name keeps the last good state, and the log says what is wrong once", async ({ spoil, says }) => {
    writeFileSync(path, dump("a"));
    open = await openPodsFile({ path, parser, log, directories, times });
    spoil();
    await until(() => lines.some((line) => line.includes("not used")));
    expect(knows("a")).toBeTrue();
    expect(lines.filter((line) => line.includes("not used"))).toEqual([expect.stringContaining(says)]);
    expect(open.problem()).toContain(says);
    rmSync(path, { recursive: true, force: true });
    writeFileSync(path, dump("b"));
    await until(() => knows("b"));
    expect(open.problem()).toBe("");
  });
});
