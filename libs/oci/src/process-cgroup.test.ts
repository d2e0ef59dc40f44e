// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { err, ok, type Result } from "@rthooks/result";
import { locateCgroup } from "./process-cgroup.ts";

const pid = 42;

/** /proc/42/cgroup of the container's process and /proc/self/cgroup of a runtime, line by line. */
function locate(
  specPath: string | undefined,
  ofProcess: readonly string[] | undefined,
  ofRuntime: readonly string[] = ["0::/system.slice/runtime.service"],
): Result<string, string> & { readonly remark?: string | undefined } {
  const file = (lines: readonly string[]): string => `${lines.join("\n")}\n`;
  const located = locateCgroup(specPath, pid, {
    ofProcess: () => ok(ofProcess === undefined ? undefined : file(ofProcess)),
    ofRuntime: () => ok(file(ofRuntime)),
  });
  return located.ok ? { ok: true, value: located.value.path, remark: located.value.remark } : located;
}

const hybrid = (v1: string, v2: string): readonly string[] => [
  "9:name=systemd:/",
  `8:pids:${v1}`,
  `4:memory:${v1}`,
  "2:cpu,cpuacct:/",
  `0::${v2}`,
];

describe("without a path in the spec the kernel's is taken", () => {
  test.each([
    { what: "the v2 line alone", lines: ["0::/a/c1"], path: "/a/c1" },
    { what: "the v2 line after the v1 lines", lines: hybrid("/a/c1", "/a/c1"), path: "/a/c1" },
    {
      what: "the v2 line before the v1 lines",
      lines: hybrid("/v1/c1", "/v2/c1").toReversed(),
      path: "/v2/c1",
    },
    { what: "v1 where v2 is the root", lines: hybrid("/a/c1", "/"), path: "/a/c1" },
    { what: "v1 where there is no v2", lines: ["4:memory:/a/c1", "1:cpu:/"], path: "/a/c1" },
    { what: "a path with colons", lines: ["0::/a.slice:cri:c1"], path: "/a.slice:cri:c1" },
    { what: "memory of several controllers", lines: ["5:hugetlb,memory:/a/c1"], path: "/a/c1" },
  ])("$what", ({ lines, path }) => {
    for (const specPath of [undefined, ""]) {
      expect(locate(specPath, lines)).toEqual({ ok: true, value: path, remark: undefined });
    }
  });

  test("v1 where the process is in the runtime's own v2 cgroup", () => {
    const runtime = hybrid("/system.slice", "/system.slice");
    expect(locate(undefined, hybrid("/a/c1", "/system.slice"), runtime)).toMatchObject({ value: "/a/c1" });
  });
});

describe("a process without a cgroup of its own is an error, not an identity", () => {
  test.each([
    { what: "the runtime's own, v2 alone", lines: ["0::/user.slice/s"], runtime: ["0::/user.slice/s"] },
    { what: "the runtime's own everywhere", lines: hybrid("/u", "/u"), runtime: hybrid("/u", "/u") },
    { what: "the root", lines: ["0::/"], runtime: ["0::/system.slice"] },
    { what: "the root everywhere", lines: hybrid("/", "/"), runtime: hybrid("/u", "/u") },
    { what: "a cgroup that was removed", lines: ["0::/a/c1 (deleted)"], runtime: ["0::/"] },
    { what: "outside of the cgroup namespace, its parent", lines: ["0::/.."], runtime: ["0::/"] },
    { what: "outside of the cgroup namespace", lines: ["0::/../a/c1"], runtime: ["0::/"] },
    { what: "a path that is none", lines: ["0::a/c1", "4:memory:"], runtime: ["0::/"] },
    { what: "lines that are none", lines: ["", "0:", "nonsense"], runtime: ["0::/"] },
  ])("$what", ({ lines, runtime }) => {
    expect(locate(undefined, lines, runtime)).toEqual(err(expect.stringContaining("no cgroup of its own")));
  });

  test("and so is a path that leads elsewhere or is too long", () => {
    expect(locate(undefined, ["0::/a/../b"]).ok).toBe(false);
    expect(locate(undefined, [`0::/${"a".repeat(5_000)}`]).ok).toBe(false);
  });

  test("and so is no process", () => {
    expect(locate(undefined, undefined)).toEqual(err(expect.stringContaining("no process 42")));
  });
});

describe("where the spec names one cgroup and the kernel another, the kernel's is taken and the remark says so", () => {
  const id = "c1".repeat(32);
  test.each([
    {
      what: "systemd's form and a runtime without systemd",
      specPath: `kubepods-podx.slice:cri-containerd:${id}`,
      kernel: `/kubepods-podx.slice:cri-containerd:${id}`,
    },
    { what: "a relative path below the runtime's", specPath: "a/c1", kernel: "/runtime/a/c1" },
    { what: "a sibling with a longer name", specPath: "/a/c1", kernel: "/a/c11" },
    { what: "the root", specPath: "/", kernel: "/a/c1" },
    { what: "a path that leads out", specPath: "/a/../../b", kernel: "/a/c1" },
  ])("$what", ({ specPath, kernel }) => {
    const located = locate(specPath, [`0::${kernel}`]);
    expect(located).toMatchObject({ ok: true, value: kernel });
    expect(located.remark).toContain(JSON.stringify(specPath));
  });
});

describe("where the two agree nothing is remarked", () => {
  test.each([
    { what: "the same path", specPath: "/a/c1", kernel: "/a/c1" },
    { what: "systemd's form", specPath: "a-b.slice:crio:x", kernel: "/a.slice/a-b.slice/crio-x.scope" },
    { what: "a child, as crun makes one", specPath: "/a/c1", kernel: "/a/c1/container", path: "/a/c1" },
    {
      what: "seen from a cgroup namespace beside it",
      specPath: "/a/b/c1",
      kernel: "/../b/c1",
      path: "/a/b/c1",
    },
    { what: "a child of it, likewise", specPath: "/a/b/c1", kernel: "/../b/c1/container", path: "/a/b/c1" },
    { what: "seen from one far away", specPath: "/a/c1", kernel: "/../../a/c1", path: "/a/c1" },
  ])("$what", ({ specPath, kernel, path = kernel }) => {
    expect(locate(specPath, [`0::${kernel}`])).toEqual({ ok: true, value: path, remark: undefined });
  });

  test("the runtime's own cgroup is not read when the v2 line is the spec's", () => {
    const located = locateCgroup("/a/c1", pid, {
      ofProcess: () => ok("0::/a/c1\n"),
      ofRuntime: () => err("asked"),
    });
    expect(located.ok).toBe(true);
  });
});

describe("where the kernel has no answer the spec's path stands", () => {
  test("silently when the state has no process", () => {
    const unused = { ofProcess: () => err("asked"), ofRuntime: () => err("asked") };
    expect(locateCgroup("/a/c1", undefined, unused)).toEqual(ok({ path: "/a/c1", remark: undefined }));
    expect(locateCgroup("/", undefined, unused)).toEqual(err(expect.stringContaining("linux.cgroupsPath")));
    expect(locateCgroup(undefined, undefined, unused)).toEqual(err(expect.stringContaining("no pid")));
  });

  test("with a remark when the process is gone or was not moved", () => {
    expect(locate("/a/c1", undefined).remark).toContain("no process 42");
    const unmoved = locate("/a/c1", ["0::/u"], ["0::/u"]);
    expect(unmoved).toMatchObject({ ok: true, value: "/a/c1" });
    expect(unmoved.remark).toContain("no cgroup of its own");
  });

  test("but not a path that cannot be", () => {
    expect(locate("/a/../b", ["0::/u"], ["0::/u"])).toEqual(err(expect.stringContaining('".."')));
  });
});

test("what cannot be read is an error, whatever the spec says", () => {
  const read = { ofProcess: () => ok("0::/b\n"), ofRuntime: () => ok("0::/\n") };
  const broken = () => err("open: too many open files");
  for (const specPath of ["/a/c1", undefined]) {
    expect(locateCgroup(specPath, pid, { ...read, ofProcess: broken })).toEqual(broken());
    expect(locateCgroup(specPath, pid, { ...read, ofRuntime: broken })).toEqual(broken());
  }
});
