// SPDX-License-Identifier: Apache-2.0
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDirectoryWatch } from "@rthooks/sys/directory-watch";
import { followConfig } from "./follow-config.ts";
import { readConfigDirectory } from "./read-config-directory.ts";

const directory = mkdtempSync(join(tmpdir(), "rthooks-follow-"));
const directories = openDirectoryWatch();
afterAll(() => {
  directories.close();
  rmSync(directory, { recursive: true });
});

let version = 0;
/** As the kubelet writes a ConfigMap. */
function mount(texts: Readonly<Record<string, string>>): void {
  const name = `..v${version++}`;
  mkdirSync(join(directory, name));
  for (const [file, text] of Object.entries(texts)) writeFileSync(join(directory, name, file), text);
  symlinkSync(name, join(directory, "..data_tmp"));
  renameSync(join(directory, "..data_tmp"), join(directory, "..data"));
  for (const file of Object.keys(texts)) {
    const link = join(directory, file);
    rmSync(link, { force: true });
    symlinkSync(`..data/${file}`, link);
  }
}

test("each changed flag is one line, also when it is as it was again; other files are none", async () => {
  const flags = new Set(["a", "b", "c"]);
  const isRead = (name: string): boolean => flags.has(name);
  mount({ a: "1", b: "1", other: "1" });
  const read = await readConfigDirectory(directory, isRead);
  if (!read.ok) throw new Error(read.error);
  const lines: string[] = [];
  const write = (message: string, fields?: object): void =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  const log = { debug: write, info: write, warn: write, error: write };
  const followed = followConfig({ directory, files: read.value.settings, isRead }, directories, log);
  const until = async (count: number): Promise<void> => {
    while (lines.length < count) await Bun.sleep(5);
  };
  mount({ a: "2\n", b: "1", c: "1", other: "2" });
  await until(2);
  mount({ a: "1", b: "1", c: "1", other: "3" });
  await until(3);
  rmSync(join(directory, "b"));
  await until(4);
  await followed.close();
  const told = (name: string): string => JSON.stringify({ flag: `--${name}`, file: join(directory, name) });
  expect(lines).toEqual([
    `a flag has changed: it counts after a restart ${told("a")}`,
    `a flag has changed: it counts after a restart ${told("c")}`,
    `a flag is again as it was at the start ${told("a")}`,
    `a flag has changed: it counts after a restart ${told("b")}`,
  ]);
});
