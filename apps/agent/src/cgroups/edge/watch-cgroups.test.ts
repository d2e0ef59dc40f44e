// SPDX-License-Identifier: Apache-2.0
// On this machine's own cgroups.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, rmdirSync, statSync } from "node:fs";
import { findCgroupRoot } from "./cgroup-resolver.ts";
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

test("what comes and goes below a container is told, of that container, until its end", async () => {
  const heard: string[] = [];
  const watch = openCgroupWatch(root, log, (containerId) => heard.push(containerId));
  const waitForOne = async () => {
    for (let tries = 0; heard.length === 0; tries++) {
      if (tries > 500) throw new Error("nothing was told");
      await Bun.sleep(10);
    }
    // What comes in one swarm is told once or twice, and then all is quiet.
    await Bun.sleep(100);
    return new Set(heard.splice(0));
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
  // One that is gone is no error.
  expect(watch.set("c3", [{ path: `${own}/none`, id: 1n }])).toBe(false);
  expect(warnings).toEqual([]);
  watch.close();
});

test("a container that makes cgroups without end is looked at now and then", async () => {
  let looks = 0;
  const watch = openCgroupWatch(root, log, () => looks++);
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
});
