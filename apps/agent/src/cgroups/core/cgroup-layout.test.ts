// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { findCgroupLayout } from "./cgroup-layout.ts";

const tmpfs = "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755";
const v1 = (controller: string): string =>
  `34 31 0:31 / /sys/fs/cgroup/${controller} rw,relatime - cgroup cgroup rw,${controller}`;
const v2 = (point: string, root = "/"): string =>
  `41 31 0:38 ${root} ${point} rw shared:4 master:1 - cgroup2 cgroup2 rw`;

test.each([
  { name: "v2 only", lines: [v2("/sys/fs/cgroup")], expected: { mode: "v2", root: "/sys/fs/cgroup" } },
  {
    name: "hybrid",
    lines: [tmpfs, v1("memory"), v2("/sys/fs/cgroup/unified")],
    expected: { mode: "hybrid", root: "/sys/fs/cgroup/unified" },
  },
  {
    name: "v1 only: memory first",
    lines: [tmpfs, v1("cpuset"), v1("pids"), v1("memory")],
    expected: { mode: "v1", root: "/sys/fs/cgroup/memory" },
  },
  {
    name: "v1 only: pids before cpuset",
    lines: [tmpfs, v1("cpuset"), v1("pids")],
    expected: { mode: "v1", root: "/sys/fs/cgroup/pids" },
  },
  { name: "v1 without a usable controller", lines: [tmpfs, v1("devices")], expected: undefined },
  {
    name: "a usual place before another",
    lines: [v2("/run/tetragon/cgroup2"), v2("/sys/fs/cgroup")],
    expected: { mode: "v2", root: "/sys/fs/cgroup" },
  },
  {
    name: "an unusual place",
    lines: [v2("/run/my\\040cgroups")],
    expected: { mode: "v2", root: "/run/my cgroups" },
  },
  {
    name: "a mount of a container's cgroup is not a root",
    lines: [v2("/mnt", "/kubepods/x")],
    expected: undefined,
  },
  {
    name: "a mount that another one hides",
    lines: [v2("/sys/fs/cgroup"), tmpfs, v1("memory")],
    expected: { mode: "v1", root: "/sys/fs/cgroup/memory" },
  },
  {
    name: "v2 mounted over the v1 hierarchies",
    lines: [tmpfs, v1("memory"), v2("/sys/fs/cgroup")],
    expected: { mode: "v2", root: "/sys/fs/cgroup" },
  },
  {
    name: "a root that is listed late",
    lines: [v2("/sys/fs/cgroup"), "25 1 8:1 / / rw - ext4 /dev/sda1 rw"],
    expected: { mode: "v2", root: "/sys/fs/cgroup" },
  },
  { name: "nothing", lines: [], expected: undefined },
])("$name", ({ lines, expected }) => {
  const found = findCgroupLayout(lines.join("\n"));
  expect(found && { mode: found.mode, root: found.root }).toEqual(expected);
});

test("the version 1 hierarchies beside it are listed", () => {
  const lines = [tmpfs, v1("memory"), v1("pids"), v2("/sys/fs/cgroup/unified")];
  const roots = ["/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids"];
  expect(findCgroupLayout(lines.join("\n"))?.v1Roots).toEqual(roots);
  expect(findCgroupLayout(lines.slice(0, 3).join("\n"))?.v1Roots).toEqual(["/sys/fs/cgroup/pids"]);
  expect(findCgroupLayout(v2("/sys/fs/cgroup"))?.v1Roots).toEqual([]);
});
