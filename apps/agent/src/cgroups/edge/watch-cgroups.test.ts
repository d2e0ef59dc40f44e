// SPDX-License-Identifier: Apache-2.0
// On this machine's own cgroups.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, rmdirSync, statSync } from "node:fs";
import { openDirectoryWatch } from "@rthooks/sys/directory-watch";
import { findCgroupRoot } from "./find-cgroup-root.ts";
import { openCgroupWatch } from "./watch-cgroups.ts";

const found = findCgroupRoot({ cgroupRoot: "", procfs: "/proc" });
if (!found.ok) throw new Error(found.error);
const root = found.value.path;
const own = `/rthooks-watch-test-${process.pid}`;
const made: string[] = [];
const make = (path: string) => {
  mkdirSync(root + path);
  made.push(path);
  return { path, id: statSync(root + path, { bigint: true }).ino };
};
const remove = (path: string) => {
  rmdirSync(root + path);
  made.splice(made.indexOf(path), 1);
};
afterAll(() => {
  for (const path of made.toReversed()) rmdirSync(root + path);
});
const warnings: string[] = [];
const log = {
  debug: () => {},
  info: () => {},
  warn: (text: string) => void warnings.push(text),
  error: () => {},
};

test("a cgroup that is created or removed below a container is reported, for that container, until its end", async () => {
  const reported: string[] = [];
  const directories = openDirectoryWatch();
  const watch = openCgroupWatch(directories, root, log, (containerId) => reported.push(containerId));
  const waitForOne = async () => {
    for (let tries = 0; reported.length === 0; tries++) {
      if (tries > 500) throw new Error("no report");
      await Bun.sleep(10);
    }
    // Changes of one moment are reported once or twice.
    await Bun.sleep(100);
    return new Set(reported.splice(0));
  };
  make(own);
  const cgroup = make(`${own}/c1`);
  const other = make(`${own}/c2`);
  expect(watch.set("c1", [cgroup])).toBe(true);
  expect(watch.set("c2", [other])).toBe(true);
  expect(watch.set("c1", [cgroup])).toBe(false);
  const inner = make(`${own}/c1/inner`);
  expect(await waitForOne()).toEqual(new Set(["c1"]));
  expect(watch.set("c1", [cgroup, inner])).toBe(true);
  make(`${own}/c1/inner/deep`);
  expect(await waitForOne()).toEqual(new Set(["c1"]));
  remove(`${own}/c1/inner/deep`);
  expect(await waitForOne()).toEqual(new Set(["c1"]));
  expect(watch.set("c1", [cgroup])).toBe(false);
  watch.end("c1");
  make(`${own}/c1/late`);
  make(`${own}/c2/late`);
  expect(await waitForOne()).toEqual(new Set(["c2"]));
  // A missing cgroup is not an error.
  expect(watch.set("c3", [{ path: `${own}/none`, id: 1n }])).toBe(false);
  expect(warnings).toEqual([]);
  watch.close();
  directories.close();
});

test("reports of a container that creates cgroups without end have pauses", async () => {
  let looks = 0;
  const directories = openDirectoryWatch();
  const watch = openCgroupWatch(directories, root, log, () => looks++);
  const cgroup = make(`${own}/busy`);
  watch.set("busy", [cgroup]);
  const until = Date.now() + 500;
  while (Date.now() < until) {
    make(`${own}/busy/x`);
    remove(`${own}/busy/x`);
    await Bun.sleep(0);
  }
  expect(looks).toBeGreaterThan(1);
  expect(looks).toBeLessThan(30);
  watch.close();
  directories.close();
});
