// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import type { HookPoint } from "./kernel-rule.ts";
import {
  at,
  bprm,
  call,
  exact,
  exec,
  filter,
  filtersOf,
  numbers,
  select,
  socket,
  syscall,
  tcp,
  toRule,
} from "./written-policy.fixture.ts";

describe("a hook about executions", () => {
  const selectors = [select(filter("Equal", "/bin/sh"))];
  const path = (index: number, type = "string") => [{ index, type }];
  const onPath = (index: number) => [select(at(index, filter("Equal", "/bin/sh")))];
  const tracepoint = (subsystem: string, event: string, index: number, more: object = {}) => ({
    tracepoints: [{ subsystem, event, args: path(index), selectors: onPath(index), ...more }],
  });
  test.each([
    ["LSM", exec(...selectors)],
    ["kprobe", { kprobes: [{ call: "security_bprm_check", syscall: false, args: bprm, selectors }] }],
    ["fentry", { fentries: [{ call: "security_bprm_check", syscall: false, args: bprm, selectors }] }],
    ["sys_execve", { kprobes: [{ call: "sys_execve", args: path(0), selectors }] }],
    ["__x64_sys_execve", { kprobes: [{ call: "__x64_sys_execve", args: path(0), selectors }] }],
    ["sys_execveat", { kprobes: [{ call: "sys_execveat", args: path(1), selectors: onPath(1) }] }],
    ["tracepoint", tracepoint("sched", "sched_process_exec", 4)],
    ["system call's tracepoint", tracepoint("syscalls", "sys_enter_execve", 5)],
    [
      "raw tracepoint",
      tracepoint("sched", "sched_process_exec", 2, { raw: true, args: path(2, "linux_binprm") }),
    ],
    [
      "by place",
      {
        kprobes: [
          {
            call: "sys_execve",
            args: path(0),
            selectors: [select({ ...filter("Equal", "/bin/sh"), args: [0] })],
          },
        ],
      },
    ],
  ])("%s: is one about the path", (_, spec) => {
    expect(toRule(spec).rule.hooks).toEqual([{ kind: "exec" }]);
    expect<unknown>(filtersOf(spec)).toEqual(exact("arg0", "/bin/sh"));
  });

  test("of the new program, has the path for matchBinaries too", () => {
    const matchBinaries = [{ operator: "In", values: ["/bin/sh"] }];
    const event = { subsystem: "sched", event: "sched_process_exec", selectors: [{ matchBinaries }] };
    expect<unknown>(filtersOf({ tracepoints: [event] })).toEqual(exact("arg0", "/bin/sh"));
    expect<unknown>(filtersOf(exec({ matchBinaries }))).toEqual(exact("binary", "/bin/sh"));
  });
});

describe("a hook is at", () => {
  const connect: HookPoint = { kind: "connect" };
  const skip = { index: 0, reading: "skip" };
  const tracepoint = (event: string, ...args: readonly object[]) => ({
    ...{ kind: "tracepoint", subsystem: "syscalls", event, args },
  });
  test.each([
    ["a connection: tcp_connect", tcp(), connect],
    ["a connection: security_socket_connect", socket(), connect],
    ["a connection: LSM", { lsmhooks: [{ hook: "socket_connect" }] }, connect],
    ["a connection: datagrams", call("udp_sendmsg", ["sock"]), connect],
    ["a bind", call("security_socket_bind", ["socket", "sockaddr"]), { kind: "bind" }],
    ["a bind: LSM", { lsmhooks: [{ hook: "socket_bind" }] }, { kind: "bind" }],
    ["an LSM hook", { lsmhooks: [{ hook: "file_open" }] }, { kind: "lsm", hook: "file_open" }],
    [
      "an LSM hook, by its function",
      call("security_bpf_map_alloc", []),
      { kind: "lsm", hook: "bpf_map_alloc_security" },
    ],
    [
      "a system call: argument N is field 5 + N",
      syscall("sys_mount", ["string", "string"]),
      tracepoint("sys_enter_mount", { index: 5, reading: "string" }, { index: 6, reading: "string" }),
    ],
    [
      "a system call: the size of a buffer is counted from 1",
      { kprobes: [{ call: "sys_write", args: [{ index: 1, type: "char_buf", sizeArgIndex: 3 }] }] },
      tracepoint("sys_enter_write", { index: 6, reading: "char_buf", sizeIndex: 7 }),
    ],
    [
      "a system call's tracepoint: fields are those of the format",
      {
        tracepoints: [
          {
            ...{ subsystem: "syscalls", event: "sys_enter_write" },
            args: [{ index: 6, type: "char_buf", sizeArgIndex: 8 }],
          },
        ],
      },
      tracepoint("sys_enter_write", { index: 6, reading: "char_buf", sizeIndex: 7 }),
    ],
    [
      "another tracepoint",
      { tracepoints: [{ subsystem: "module", event: "module_load", args: [{ index: 5, type: "string" }] }] },
      {
        ...{ kind: "tracepoint", subsystem: "module", event: "module_load" },
        args: [{ index: 5, reading: "string" }],
      },
    ],
    [
      "all system calls",
      {
        tracepoints: [
          { subsystem: "raw_syscalls", event: "sys_enter", args: [{ index: 4, type: "syscall64" }] },
        ],
      },
      {
        ...{ kind: "tracepoint", subsystem: "raw_syscalls", event: "sys_enter" },
        args: [{ index: 4, reading: "uint64" }],
      },
    ],
    [
      "a kernel function",
      call("fd_install", ["int", "file"]),
      {
        ...{ kind: "function", name: "fd_install" },
        args: [
          { index: 0, reading: "int32" },
          { index: 1, reading: "file" },
        ],
      },
    ],
    [
      "a kernel function, without what no program reads",
      call("tty_write", ["kiocb", "nop", "file"]),
      { kind: "function", name: "tty_write", args: [{ index: 2, reading: "file" }] },
    ],
    [
      "a kernel function, where the source of a connection is asked for",
      tcp(select(filter("SPort", "80"))),
      { kind: "function", name: "tcp_connect", args: [{ index: 0, reading: "sock" }] },
    ],
  ])("%s", (_, spec, hook) => {
    expect<unknown>(toRule(spec).rule.hooks).toEqual([hook]);
  });

  test("an LSM hook, with the function that stands in, whose arguments have the same numbers", () => {
    const { rule, fallbacks } = toRule(call("security_mmap_file", ["file", "nop", "uint32"]));
    expect(rule.hooks).toEqual([{ kind: "lsm", hook: "mmap_file" }]);
    expect<unknown>(fallbacks).toEqual([
      {
        ...{ kind: "function", name: "security_mmap_file" },
        args: [{ index: 0, reading: "file" }, skip, skip, { index: 2, reading: "uint32" }],
      },
    ]);
    const written = call(
      "security_mmap_file",
      ["file", "uint32", "uint32"],
      select(at(2, filter("Equal", "4"))),
    );
    expect<unknown>(filtersOf(written)).toEqual(numbers("arg3", 4n));
    const hook = {
      lsmhooks: [
        {
          hook: "mmap_file",
          args: [{ index: 3, type: "uint32" }],
          selectors: [select(at(3, filter("Equal", "4")))],
        },
      ],
    };
    expect<unknown>(filtersOf(hook)).toEqual(numbers("arg3", 4n));
    expect<unknown>(toRule(hook).fallbacks).toEqual([
      {
        ...{ kind: "function", name: "security_mmap_file" },
        args: [skip, skip, skip, { index: 2, reading: "uint32" }],
      },
    ]);
  });

  test("a system call of arm64 with its own name", () => {
    const { rule, report } = toRule(syscall("sys_mkdirat", []), "arm64");
    expect<unknown>(rule.hooks).toEqual([tracepoint("sys_enter_mkdirat")]);
    expect(report.hook).toBe("__arm64_sys_mkdirat");
  });
});

describe("a list", () => {
  const args = [{ index: 1, type: "int" }];
  const list = (values: readonly string[], type?: string) => ({
    lists: [{ name: "a", values, ...(type === undefined ? {} : { type }) }],
    kprobes: [{ call: "list:a", args, selectors: [select(at(1, filter("Equal", "4")))] }],
  });
  test("is one rule about all members, each with its name", () => {
    const { rule, report, fallbacks } = toRule(list(["sys_dup3", "fd_install", "security_file_ioctl"]));
    const skip = { index: 0, reading: "skip" };
    const int32 = (index: number) => ({ index, reading: "int32" });
    expect<unknown>(rule.hooks).toEqual([
      {
        ...{ kind: "tracepoint", subsystem: "syscalls", event: "sys_enter_dup3", args: [skip, int32(6)] },
      },
      { kind: "function", name: "fd_install", args: [skip, int32(1)] },
      { kind: "lsm", hook: "file_ioctl" },
    ]);
    expect<unknown>(fallbacks.at(-1)).toEqual({
      ...{ kind: "function", name: "security_file_ioctl", args: [skip, int32(1)] },
    });
    expect(rule.filters.numbers).toEqual([{ facet: "arg1", values: [4n], isNegated: false }]);
    expect(report).toMatchObject({
      hook: "list:a",
      hooks: {
        "syscalls/sys_enter_dup3": "__x64_sys_dup3",
        fd_install: "fd_install",
        file_ioctl: "security_file_ioctl",
      },
    });
  });

  test("of system calls says so of its members", () => {
    const hooks = toRule(list(["sys_dup3", "x64/sys_dup2"], "syscalls")).rule.hooks;
    expect(hooks).toMatchObject([{ event: "sys_enter_dup3" }, { event: "sys_enter_dup2" }]);
  });

  test("of all system calls has the hook that they have in common", () => {
    const spec = {
      lists: [{ name: "all", type: "generated_syscalls" }],
      kprobes: [{ call: "list:all" }],
    };
    const { rule, report } = toRule(spec);
    expect(rule.hooks).toMatchObject([{ subsystem: "raw_syscalls", event: "sys_enter" }]);
    expect(report).toMatchObject({ event: "tracepoint", args: [{ facet: "arg0", type: "syscall64" }] });
  });

  test("has the numbers of its system calls, of the node's architecture", () => {
    const spec = (type: string) => ({
      lists: [{ name: "a", values: ["sys_dup", "sys_newuname"], type: "syscalls" }],
      tracepoints: [
        {
          ...{ subsystem: "raw_syscalls", event: "sys_enter", args: [{ index: 4, type }] },
          selectors: [select(filter("InMap", "list:a", "500"))],
        },
      ],
    });
    expect<unknown>(filtersOf(spec("syscall64"))).toEqual(numbers("arg0", 32n, 63n, 500n));
    expect<unknown>(filtersOf(spec("uint64"), "arm64")).toEqual(numbers("arg0", 23n, 160n, 500n));
  });
});
