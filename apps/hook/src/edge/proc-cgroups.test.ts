// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { err, ok } from "@rthooks/result";
import { openSystem } from "@rthooks/sys";
import { openProcCgroups } from "./proc-cgroups.ts";

const system = await openSystem();

test("the cgroups of a process are read from /proc", () => {
  const cgroups = openProcCgroups(system);
  expect(cgroups.ofProcess(process.pid)).toEqual(ok(readFileSync(`/proc/${process.pid}/cgroup`, "utf8")));
  expect(cgroups.ofRuntime()).toEqual(ok(readFileSync("/proc/self/cgroup", "utf8")));
});

test("a process that does not exist has none; any other error is one", () => {
  expect(openProcCgroups(system).ofProcess(2 ** 30)).toEqual(ok(undefined));
  for (const code of ["EMFILE", "EACCES", "EIO"] as const) {
    const error = { call: "open", subject: "/proc/1/cgroup", code, message: code };
    const broken = openProcCgroups({ readProcFile: () => err(error) });
    expect(broken.ofProcess(1)).toEqual(err(`open /proc/1/cgroup: ${code}`));
    expect(broken.ofRuntime()).toEqual(err(`open /proc/1/cgroup: ${code}`));
  }
});
