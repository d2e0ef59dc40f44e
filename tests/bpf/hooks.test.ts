// SPDX-License-Identifier: Apache-2.0
// Programs on system calls and tracepoints of this kernel, attached for rules and judging real processes in real cgroups.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HookPrograms } from "@rthooks/bpf";
import type { HookPoint, RuleFilters } from "@rthooks/policy";
import { must } from "@rthooks/result/must";
import { findTool } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { arg, at, atPageEnd, call, equals, type Hooks, openHooks, run, text } from "./open-hooks.ts";

const workspace = createWorkspace("hooks");
let opened: Hooks;
let hooks: HookPrograms;
let directory: string;
let container: string;
let neighbour: string;
beforeAll(() => {
  opened = openHooks(workspace);
  ({ hooks, directory, container, neighbour } = opened);
});
afterAll(() => workspace.close(), 60_000);
beforeEach(() => opened.reset());

const file = workspace.path("file");
const other = workspace.path("other");
writeFileSync(file, "");
writeFileSync(other, "");
const write = call("write", arg(5, "fd"));

describe("a system call that matches kills its process, and one that does not match passes", () => {
  interface Row {
    readonly what: string;
    readonly hook: HookPoint;
    readonly filters: Partial<RuleFilters>;
    readonly matching: string;
    readonly other: string;
  }
  const rows: readonly Row[] = [
    {
      ...{ what: "an int", hook: call("kill", arg(6, "int32")) },
      filters: equals("arg0", 0n),
      matching: "os.kill(os.getpid(), 0)",
      other: "os.kill(os.getpid(), signal.SIGCONT)",
    },
    {
      what: "a negative int",
      hook: call("getpriority", arg(6, "int32")),
      filters: { comparisons: [{ facet: "arg0", operator: "lt", isSigned: true, values: [0n] }] },
      matching: "libc.getpriority(0, -5)",
      other: "libc.getpriority(0, 0)",
    },
    {
      ...{ what: "a uint64", hook: call("lseek", arg(6, "uint64")) },
      filters: equals("arg0", 1n << 40n),
      matching: `os.lseek(os.open("${file}", 0), 1 << 40, 0)`,
      other: `os.lseek(os.open("${file}", 0), 0, 0)`,
    },
    {
      what: "a string, exactly",
      hook: call("rmdir", arg(5, "string")),
      filters: text("arg0", "exact", "/nowhere"),
      matching: 'libc.rmdir(b"/nowhere")',
      other: 'libc.rmdir(b"/nowhere/else")',
    },
    {
      what: "the end of a string",
      hook: call("rmdir", arg(5, "string")),
      filters: text("arg0", "postfix", ".secret"),
      matching: 'libc.rmdir(b"/no/where.secret")',
      other: 'libc.rmdir(b"/no/where.secret.")',
    },
    {
      what: "the second of two strings",
      hook: call("rename", arg(5, "string"), arg(6, "string")),
      filters: text("arg1", "prefix", "/to"),
      matching: 'libc.rename(b"/from", b"/to/here")',
      other: 'libc.rename(b"/to", b"/from")',
    },
    {
      what: "a string that ends with its page",
      hook: call("rmdir", arg(5, "string")),
      filters: text("arg0", "exact", "/edge"),
      matching: `${atPageEnd}libc.rmdir(edge(b"/edge\\0"))`,
      other: `${atPageEnd}libc.rmdir(edge(b"/edg\\0"))`,
    },
    {
      what: "the file of a descriptor, also of 0",
      hook: write,
      filters: text("arg0", "exact", file),
      matching: `os.dup2(os.open("${file}", os.O_WRONLY), 0)\nos.write(0, b"x")`,
      other: `os.write(os.open("${other}", os.O_WRONLY), b"x")`,
    },
    {
      what: "the number of a descriptor",
      hook: write,
      filters: equals("arg0", 77n),
      matching: `fd = os.open("${file}", os.O_WRONLY)\nos.dup2(fd, 77)\nos.write(77, b"x")`,
      other: `fd = os.open("${file}", os.O_WRONLY)\nos.dup2(fd, 77)\nos.write(fd, b"x")`,
    },
    {
      ...{ what: "an address", hook: call("connect", arg(6, "sockaddr")) },
      filters: { addresses: [{ facet: "destination", blocks: ["127.0.0.2"], isNegated: false }] },
      matching: 'import socket\nsocket.socket().connect_ex(("127.0.0.2", 9))',
      other: 'import socket\nsocket.socket().connect_ex(("127.0.0.3", 9))',
    },
    {
      what: "an IPv6 address and its port",
      hook: call("connect", arg(6, "sockaddr")),
      filters: { numbers: [{ facet: "destinationPort", values: [99n], isNegated: false }] },
      matching: 'import socket\nsocket.socket(socket.AF_INET6).connect_ex(("::1", 99))',
      other: 'import socket\nsocket.socket(socket.AF_INET6).connect_ex(("::1", 98))',
    },
    {
      ...{ what: "the family of an address", hook: call("connect", arg(6, "sockaddr")) },
      filters: { numbers: [{ facet: "family", values: [10n], isNegated: false }] },
      matching: 'import socket\nsocket.socket(socket.AF_INET6).connect_ex(("::1", 9))',
      other: 'import socket\nsocket.socket().connect_ex(("127.0.0.1", 9))',
    },
    {
      what: "the number of any call",
      hook: at("raw_syscalls", "sys_enter", arg(4, "int64"), arg(5, "uint64")),
      // chroot(2) on x86-64 and arm64.
      filters: {
        numbers: [{ facet: "arg0", values: [process.arch === "arm64" ? 51n : 161n], isNegated: false }],
      },
      matching: "os.chroot('/')",
      other: "os.getpid()",
    },
    {
      what: "a text of a tracepoint's record",
      hook: at("sched", "sched_process_exec", arg(4, "kernel-string")),
      filters: text("arg0", "exact", "/bin/false"),
      matching: 'os.execv("/bin/false", ["false"])',
      other: 'os.execv("/bin/echo", ["echo", "end"])',
    },
    {
      what: "the end of a text of a tracepoint's record",
      hook: at("sched", "sched_process_exec", arg(4, "kernel-string")),
      filters: text("arg0", "postfix", "/false"),
      matching: 'os.execv("/bin/false", ["false"])',
      other: 'os.execv("/bin/echo", ["echo", "end"])',
    },
    {
      what: "the end of a text that fills its array in the record",
      hook: at("task", "task_rename", arg(6, "string")),
      filters: text("arg0", "postfix", "-the-rooms"),
      matching: 'libc.prctl(15, b"fills-the-rooms")',
      other: 'libc.prctl(15, b"fills-the-rooks")',
    },
  ];
  test.each(rows)("$what", ({ hook, filters, matching, other: passing }) => {
    opened.kill(hook, filters);
    expect(run(container, matching)).toBe("SIGKILL");
    expect(run(container, passing)).toBe("end");
    expect(run(neighbour, matching)).not.toBe("SIGKILL");
  });
});

describe("memory that cannot be read", () => {
  const unreadable = "libc.rmdir(ctypes.c_void_p(16))";

  test("is no text: filters do not match it", () => {
    opened.kill(call("rmdir", arg(5, "string")), text("arg0", "prefix", "/"));
    expect(run(container, unreadable)).toBe("end");
  });

  test("negated filters match it", () => {
    opened.kill(call("rmdir", arg(5, "string")), text("arg0", "prefix", "/", true));
    expect(run(container, unreadable)).toBe("SIGKILL");
  });

  test("of the kernel is not read for a process", () => {
    opened.kill(call("rmdir", arg(5, "string")), text("arg0", "prefix", "", true));
    expect(run(container, "libc.rmdir(ctypes.c_void_p(0xffffffff81000000))")).toBe("SIGKILL");
  });

  test("no file is behind a descriptor that is not open", () => {
    opened.kill(call("fsync", arg(5, "fd")), text("arg0", "prefix", "/"));
    for (const fd of ["-1", "1 << 30", "2147483647", "-100", "99"])
      expect([fd, run(container, `libc.fsync(${fd})`)]).toEqual([fd, "end"]);
    expect(run(container, `libc.fsync(os.open("${file}", 0))`)).toBe("SIGKILL");
  });
});

describe("programs are attached for hooks that rules need, and for no others", () => {
  const chroot = call("chroot", arg(5, "string"));
  const pins = (): readonly string[] => readdirSync(directory).filter((name) => /-[0-9a-f]{16}$/.test(name));
  /** As bpftool describes what is pinned. */
  const pinned = (): readonly { readonly id: number }[] =>
    pins().map((pin) => {
      const kind = pin.startsWith("judge_call_row-") ? "prog" : "link";
      const words = ["-j", kind, "show", "pinned", join(directory, pin)];
      return JSON.parse(Bun.spawnSync([findTool("bpftool"), ...words]).stdout.toString());
    });

  test("without rules nothing is attached", () => {
    expect(must(hooks.attached())).toEqual([]);
    expect(pins()).toEqual([]);
  });

  test("a hook is attached once, whoever asks for it; with other arguments it is another one", () => {
    const id = must(hooks.attach(chroot));
    expect(must(hooks.attach(chroot))).toBe(id);
    // The program that all calls pass, and that of the list.
    expect(pins()).toHaveLength(2);
    const second = must(hooks.attach(call("chroot", arg(5, "uint64"))));
    expect(second).not.toBe(id);
    expect(
      must(hooks.attached())
        .map(({ hookId }) => hookId)
        .toSorted(),
    ).toEqual([id, second].toSorted());
  });

  test("hooks of which the same is read share a program", () => {
    for (const name of ["chroot", "rmdir", "acct"]) must(hooks.attach(call(name, arg(5, "string"))));
    expect(pins().filter((pin) => pin.startsWith("judge_call_row-"))).toHaveLength(1);
    expect(must(hooks.attached())).toHaveLength(3);
  });

  test("the next agent knows what is attached, and adopts it under the same numbers", () => {
    const points = [chroot, call("acct", arg(5, "string")), { kind: "exec" } as const]; // const: a kind
    const ids = points.map((point) => must(hooks.attach(point)));
    const before = pinned();
    const next = opened.open();
    expect(must(next.attached()).toSorted((one, two) => two.hookId - one.hookId)).toEqual(
      points
        .map((hook, number) => ({ hookId: ids[number] ?? 0, hook }))
        .toSorted((one, two) => two.hookId - one.hookId),
    );
    expect(points.map((point) => must(next.attach(point)))).toEqual(ids);
    expect(pinned()).toEqual(before);
    must(next.detachUnused(ids.slice(0, 1)));
    expect(must(next.attached())).toEqual([{ hookId: ids[0] ?? 0, hook: chroot }]);
    next.close();
  });

  test("a hook is attached again while its end is not yet complete", () => {
    for (let turn = 0; turn < 5; turn++) {
      const id = must(hooks.attach(chroot));
      expect(must(hooks.attached())).toEqual([{ hookId: id, hook: chroot }]);
      must(hooks.detachUnused([]));
    }
  });

  test("numbers of hooks that are detached are given out again", () => {
    const id = must(hooks.attach(call("sethostname", arg(6, "int32"))));
    must(hooks.detachUnused([]));
    expect(must(hooks.attach(call("setdomainname", arg(6, "int32"))))).toBe(id);
  });

  test("connections and bind(2) have programs of their cgroup, which are detached together", () => {
    const ids = (["connect", "bind"] as const).map((kind) => must(hooks.attach({ kind }))); // const: kinds
    expect(ids).toEqual([2, 3]);
    expect(pins()).toHaveLength(6);
    must(hooks.detachUnused([3]));
    expect(
      pins()
        .map((pin) => pin.slice(0, -17))
        .toSorted(),
    ).toEqual(["bind_ipv4", "bind_ipv6"]);
  });
});

describe("what cannot be attached is an error of one line, and leaves nothing", () => {
  const rows: readonly (readonly [what: string, hook: HookPoint, reason: RegExp])[] = [
    ["an LSM hook", { kind: "lsm", hook: "file_open" }, /^the LSM hook file_open: .*\(bpf_lsm\)$/],
    ["an unknown LSM hook", { kind: "lsm", hook: "made_up" }, /^the LSM hook made_up: no program reads/],
    [
      "a function",
      { kind: "function", name: "tcp_connect", args: [arg(0, "sock")] },
      /^the kernel function tcp_connect: .* built without kprobes \(bpf_kprobe\)$/,
    ],
    [
      "a call that does not exist",
      call("made_up"),
      /^the tracepoint .*: the kernel has no tracepoint syscalls/,
    ],
    [
      "a field that does not exist",
      call("chroot", arg(11, "int32")),
      /indexes 5 to 10, none with the index 11$/,
    ],
    ["a path instead of a name", at("..", "../../etc"), /: not the name of a tracepoint: /],
    ["a pointer into the kernel", call("chroot", arg(5, "file")), /a system call cannot be read as file$/],
    [
      "six arguments",
      call("mmap", ...[5, 6, 7, 8, 9, 10].map((index) => arg(index, "uint64"))),
      /6 arguments, more than 5$/,
    ],
  ];
  test.each(rows)("%s", (_, hook, reason) => {
    expect(hooks.attach(hook)).toEqual({ ok: false, error: expect.stringMatching(reason) });
    expect(must(hooks.attached())).toEqual([]);
  });
});
