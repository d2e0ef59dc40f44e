// SPDX-License-Identifier: Apache-2.0
// What tests/kernels sees on stock kernels is there in part on this one, and not at all without privileges.
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { probePrograms } from "@rthooks/bpf";
import { findCgroupDirectory } from "../harness/cgroup.ts";
import { findTool } from "../harness/programs.ts";
import { waitFor } from "../harness/wait.ts";

const cgroupRoot = findCgroupDirectory("/");

test("what rules need is there, and a reason for what is not", () => {
  const probed = probePrograms(cgroupRoot);
  const there = { ok: true, value: undefined };
  expect(probed).toMatchObject({
    ...{ bpf_raw_tracepoint: there, bpf_tracepoint: there, bpf_cgroup_connect: there },
    ...{ bpf_cgroup_bind: there, bpf_cgroup_sock: there },
  });
  expect(probed.bpf_kprobe.ok).toBe(existsSync("/sys/bus/event_source/devices/kprobe"));
  for (const found of Object.values(probed))
    expect(found.ok ? "none" : found.error).toMatch(/^(?!program )[^\n]+$/);
});

test("nothing of a probe stays", async () => {
  probePrograms(cgroupRoot);
  const list = (): string =>
    Bun.spawnSync([findTool("bpftool"), "prog", "show", "name", "probe"]).stdout.toString();
  await waitFor("the end of all probes", () => list() === "");
});

test("a root that is not one of cgroup v2 is a reason", () => {
  expect(probePrograms("/tmp").bpf_cgroup_connect).toEqual({
    ok: false,
    error: expect.stringContaining("it is not a directory of cgroup v2"),
  });
});

test("without privileges each is refused", () => {
  const script = `
    const { probePrograms } = await import("@rthooks/bpf");
    console.log(JSON.stringify(probePrograms("${cgroupRoot}")));`;
  const words = ["--bounding-set=-all", "--", process.execPath, "-e", script];
  const { stdout, stderr } = Bun.spawnSync([findTool("setpriv"), ...words], { cwd: import.meta.dir });
  if (stdout.length === 0) throw new Error(stderr.toString());
  for (const found of Object.values(JSON.parse(stdout.toString())))
    expect(found).toEqual({ ok: false, error: expect.stringContaining("perm") });
});
