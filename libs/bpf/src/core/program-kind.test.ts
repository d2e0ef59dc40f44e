// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import { parseProgramKind } from "./program-kind.ts";

test.each([
  {
    section: "raw_tracepoint/sys_enter",
    type: "raw_tracepoint",
    attach: { kind: "raw_tracepoint", event: "sys_enter" },
  },
  {
    section: "tracepoint/syscalls/sys_enter_openat",
    type: "tracepoint",
    attach: { kind: "tracepoint", group: "syscalls", event: "sys_enter_openat" },
  },
  { section: "kprobe/tcp_connect", type: "kprobe", attach: { kind: "kprobe", symbol: "tcp_connect" } },
  {
    section: "lsm/file_open",
    type: "lsm",
    attach: { kind: "btf", symbol: "bpf_lsm_file_open", attachType: 27 },
  },
  { section: "fentry/do_exit", type: "tracing", attach: { kind: "btf", symbol: "do_exit", attachType: 24 } },
  { section: "kprobe", type: "kprobe", attach: { kind: "template" } },
  { section: "raw_tracepoint", type: "raw_tracepoint", attach: { kind: "template" } },
  { section: "lsm", type: "lsm", attach: { kind: "template" } },
  { section: "cgroup/bind6", type: "cgroup_sock_addr", attach: { kind: "cgroup", attachType: 9 } },
  { section: "cgroup/sock_create", type: "cgroup_sock", attach: { kind: "cgroup", attachType: 2 } },
  { section: "cgroup/sysctl", type: "cgroup_sysctl", attach: { kind: "cgroup", attachType: 18 } },
  { section: "cgroup/device", type: "cgroup_device", attach: { kind: "cgroup", attachType: 6 } },
  { section: "cgroup/sendmsg4", type: "cgroup_sock_addr", attach: { kind: "cgroup", attachType: 14 } },
] as const)("$section", ({ section, type, attach }) => {
  expect(parseProgramKind(section)).toEqual({ type, attach });
});

test.each([
  "",
  ".text",
  "lsm/",
  "cgroup",
  "lsm/a/b",
  "tracepoint/syscalls",
  "tracepoint/a/b/c",
  "cgroup/constructor",
  "xdp/a",
])("%p is not supported", (section) => {
  expect(parseProgramKind(section)).toBeUndefined();
});
