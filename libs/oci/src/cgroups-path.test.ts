// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { type CgroupsPathError, describeCgroupsPathError, expandCgroupsPath } from "./cgroups-path.ts";

const id = "0123456789abcdef";
const uid = "4c9f1974_5c46_44c2_b42f_3bbf0e98eef9";

describe("a cgroups path becomes one path below the root", () => {
  test.each([
    { name: "cgroupfs", text: `/kubepods/burstable/podX/${id}`, path: `/kubepods/burstable/podX/${id}` },
    { name: "cgroupfs without leading slash", text: `kubepods/podX/${id}`, path: `/kubepods/podX/${id}` },
    { name: "doubled slashes and dots", text: "//a/./b//c/", path: "/a/b/c" },
    { name: "plain name", text: id, path: `/${id}` },
    { name: "path with colons", text: "/a:b:c/d", path: "/a:b:c/d" },
    {
      name: "systemd, kubelet",
      text: `kubepods-besteffort-pod${uid}.slice:cri-containerd:${id}`,
      path: `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${uid}.slice/cri-containerd-${id}.scope`,
    },
    {
      name: "systemd, podman",
      text: `machine.slice:libpod:${id}`,
      path: `/machine.slice/libpod-${id}.scope`,
    },
    { name: "systemd, empty slice", text: `:crio:${id}`, path: `/system.slice/crio-${id}.scope` },
    { name: "systemd, root slice", text: `-.slice:crio:${id}`, path: `/crio-${id}.scope` },
    { name: "systemd, name is a slice", text: "a-b.slice:p:c.slice", path: "/a.slice/a-b.slice/c.slice" },
    { name: "two colons too many", text: "a:b:c:d", path: "/a:b:c:d" },
    { name: "dots that are no parent", text: "/..a/b..", path: "/..a/b.." },
  ])("$name", ({ text, path }) => {
    expect(expandCgroupsPath(text)).toEqual({ ok: true, value: path });
  });
});

describe("a cgroups path that names no container is refused", () => {
  test.each<{ name: string; text: string; kind: CgroupsPathError["kind"] }>([
    { name: "empty", text: "", kind: "empty" },
    { name: "slash", text: "/", kind: "root" },
    { name: "slashes and dots", text: "/.//.", kind: "root" },
    { name: "dot", text: ".", kind: "root" },
    { name: "parent", text: "..", kind: "escapes" },
    { name: "parent inside", text: "/a/../../etc", kind: "escapes" },
    { name: "parent at the end", text: "/a/..", kind: "escapes" },
    { name: "parent by a scope name", text: "a.slice:x/../..:y", kind: "escapes" },
    { name: "NUL", text: "/a\0b", kind: "nul" },
    { name: "too long", text: `/${"a".repeat(4096)}`, kind: "too-long" },
    { name: "too long in bytes only", text: `/${"€".repeat(1400)}`, kind: "too-long" },
    { name: "slice without suffix", text: "kubepods:crio:x", kind: "bad-slice" },
    { name: "slice with a hole", text: "a--b.slice:crio:x", kind: "bad-slice" },
    { name: "only the suffix", text: ".slice:crio:x", kind: "bad-slice" },
    { name: "slice that begins with a dash", text: "-a.slice:crio:x", kind: "bad-slice" },
    { name: "empty name", text: "a.slice:crio:", kind: "empty" },
  ])("$name", ({ text, kind }) => {
    const result = expandCgroupsPath(text);
    expect(result.ok ? result : result.error.kind).toBe(kind);
    if (!result.ok) expect(describeCgroupsPathError(result.error)).not.toBe("");
  });
});
