// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import {
  act,
  at,
  call,
  convert,
  exec,
  filter,
  listReasons,
  select,
  socket,
  syscall,
  tcp,
} from "./written-policy.fixture.ts";

const first = "lsmhooks[0].selectors[0]";
const kprobe = "kprobes[0].selectors[0]";
const raw = (type: string, ...values: readonly string[]) => ({
  tracepoints: [
    {
      ...{ subsystem: "raw_syscalls", event: "sys_enter", args: [{ index: 4, type }] },
      selectors: [select(filter("InMap", ...values))],
    },
  ],
});

describe("a hook that no program has is named", () => {
  const list = (values: readonly string[], more: object = {}) => ({
    ...{ lists: [{ name: "a", values, ...more }], kprobes: [{ call: "list:a" }] },
  });
  test.each([
    [
      { kprobes: [{ call: "tcp_connect" }] },
      'kprobes[0]: call needs the name of a system call like "sys_mkdir", not "tcp_connect"',
    ],
    [
      { kprobes: [{ call: "__arm64_sys_mkdirat" }] },
      'kprobes[0]: call needs a node with arm64 processors, for "__arm64_sys_mkdirat"',
    ],
    [
      { kprobes: [{ call: "__ia32_sys_mkdir" }] },
      'kprobes[0]: call needs programs on system calls of 32-bit programs, for "__ia32_sys_mkdir"',
    ],
    [
      { kprobes: [{ call: "sys_mkdir", returnArgAction: "TrackSock" }] },
      "kprobes[0]: returnArgAction needs programs that follow sockets",
    ],
    [
      { tracepoints: [{ subsystem: "sched", event: "sched_switch", raw: true }] },
      "tracepoints[0]: raw needs programs on raw tracepoints",
    ],
    [{ uprobes: [{ path: "/bin/sh" }] }, "uprobes[0]: path needs programs for uprobes"],
    [{ usdts: [{ path: "/bin/sh", provider: "a", name: "b" }] }, "usdts[0]: path needs programs for usdts"],
    [{ loader: true }, "spec: loader needs programs for loads of libraries"],
    [list([]), "kprobes[0]: call needs a list with members"],
    [
      list([], { type: "generated_ftrace", pattern: "^ksys_" }),
      "kprobes[0]: call needs the kernel functions whose names match a pattern",
    ],
    [
      list(Array.from({ length: 129 }, (_, at) => `sys_${at}`)),
      "kprobes[0]: call needs a list of at most 128 members",
    ],
    [
      {
        ...list([], { type: "generated_syscalls" }),
        kprobes: [{ call: "list:a", args: [{ index: 0, type: "int" }] }],
      },
      "kprobes[0]: args needs arguments that all system calls have",
    ],
    [
      { ...raw("uint64", "list:a"), lists: [{ name: "a", values: ["a"] }] },
      "tracepoints[0].selectors[0]: matchArgs[0].values[0] needs a list of the type syscalls",
    ],
    [
      { ...raw("syscall64", "list:a"), lists: [{ name: "a", type: "syscalls", values: ["sys_nosuch"] }] },
      'tracepoints[0].selectors[0]: matchArgs[0].values[0] needs the number of the system call "sys_nosuch"',
    ],
  ])("%#", (spec, expected) => {
    expect(listReasons(spec)).toEqual([expected]);
  });
});

describe("what no program compares is named", () => {
  const matches = (name: string, value: object) => exec({ [name]: [value] });
  test.each([
    [
      matches("matchBinaries", { operator: "In", values: ["/bin/sh"], followChildren: true }),
      "matchBinaries[0].followChildren needs programs that follow the parents of a process",
    ],
    [
      matches("matchBinaries", { operator: "In", values: ["sh"] }),
      'matchBinaries[0].values[0] needs an absolute path, not "sh"',
    ],
    [
      matches("matchPIDs", { operator: "In", values: [1], followForks: true }),
      "matchPIDs[0].followForks needs programs that follow the parents of a process",
    ],
    [matches("matchPIDs", { operator: "In", values: [] }), "matchPIDs[0].values needs a value"],
    [
      matches("matchNamespaces", { namespace: "Pid", operator: "In", values: ["1"] }),
      "matchNamespaces needs programs that compare namespaces",
    ],
    [
      matches("matchCapabilities", { operator: "In", values: ["CAP_CHOWN"] }),
      "matchCapabilities needs programs that compare capabilities",
    ],
    [
      matches("matchParentBinaries", { operator: "In", values: ["/bin/sh"] }),
      "matchParentBinaries needs programs that compare the binary of the parent process",
    ],
    [
      {
        ...exec({ macros: ["a"] }),
        selectorsMacros: { a: { matchPIDs: [{ operator: "In", values: [] }] } },
      },
      "matchPIDs[0].values needs a value",
    ],
    [
      { ...exec({ macros: ["a"] }), selectorsMacros: { a: { matchWorkloads: {} } } },
      "macros needs matchWorkloads in the selector itself",
    ],
  ])("%#", (spec, expected) => {
    expect(listReasons(spec)).toEqual([`${first}: ${expected}`]);
  });
});

describe("an argument that no program compares is named", () => {
  const argument = (more: object) => ({
    lsmhooks: [
      {
        hook: "file_open",
        args: [{ index: 0, type: "file", ...more }],
        selectors: [select(filter("Equal", "/bin/sh"))],
      },
    ],
  });
  const number = (type: string, operator: string, ...values: readonly string[]) =>
    syscall("sys_a", [type], select(filter(operator, ...values)));
  test.each([
    [exec(select(at(1, filter("Equal", "/a")))), first, "index needs an argument that args declares"],
    [argument({ resolve: "f_path" }), first, "index needs programs that follow resolve"],
    [argument({ returnCopy: true }), first, "index needs programs at the end of the call"],
    [argument({ source: "current_task" }), first, "index needs programs that read from current_task"],
    [argument({ type: "module" }), first, "index needs programs that read the type module of an LSM hook"],
    [
      argument({ type: "char_buf" }),
      first,
      "index needs programs that read the type char_buf of an LSM hook",
    ],
    [
      exec(select(filter("SubString", "a"))),
      first,
      "operator needs programs that compare the type linux_binprm by SubString",
    ],
    [exec(select(filter("Equal"))), first, "values needs a value"],
    [exec(select(filter("Equal", "sh"))), first, 'values[0] needs an absolute path, not "sh"'],
    [
      exec(select(filter("Equal", "/bin/../sh"))),
      first,
      'values[0] needs a path without empty parts, "." and "..", not "/bin/../sh"',
    ],
    [
      exec(select(filter("Prefix", "/bin//s"))),
      first,
      'values[0] needs a path without empty parts, "." and "..", not "/bin//s"',
    ],
    [
      exec(select(filter("Equal", "/a\0b"))),
      first,
      'values[0] needs a text of 1 to 254 bytes without a zero, not "/a\\u0000b"',
    ],
    [
      exec(select(filter("Postfix", "a".repeat(256)))),
      first,
      `values[0] needs a text of 1 to 255 bytes without a zero, not "${"a".repeat(40)}..."`,
    ],
    [number("file", "Equal", "/a"), kprobe, "index needs programs that read the type file of a system call"],
    [number("auto", "Equal", "1"), kprobe, "index needs programs that read the type auto of a system call"],
    [
      number("char_buf", "Equal", "1"),
      kprobe,
      "index needs sizeArgIndex, the number of the argument with its length",
    ],
    [number("int", "Prefix", "1"), kprobe, "operator needs programs that compare the type int by Prefix"],
    [
      number("int", "Equal", "one"),
      kprobe,
      'values[0] needs a whole number of 32 bits, with sign, not "one"',
    ],
    [
      number("int", "Equal", "1", "2147483648"),
      kprobe,
      'values[1] needs a whole number of 32 bits, with sign, not "2147483648"',
    ],
    [number("uint32", "Equal", "-1"), kprobe, 'values[0] needs a whole number of 32 bits, not "-1"'],
    [number("int", "InRange", "5"), kprobe, 'values[0] needs a range of numbers like "1:10", not "5"'],
    [number("int", "InRange", "5:1"), kprobe, 'values[0] needs a range of numbers like "1:10", not "5:1"'],
    [
      number("int", "InMap", "1:9999", "2", "3", "4", "5"),
      kprobe,
      "values needs at most 1024 numbers, or 4 ranges",
    ],
    [
      call("a", ["capability"], select(filter("Equal", "CAP_ALL"))),
      kprobe,
      'values[0] needs the name of a capability or a whole number of 32 bits, with sign, not "CAP_ALL"',
    ],
    [
      tcp(select(filter("DAddr", "example.org"))),
      kprobe,
      'values[0] needs an address or a block of them, not "example.org"',
    ],
    [
      tcp(select(filter("DPort", "80:79"))),
      kprobe,
      'values[0] needs a port or a range of them like "1:1023", not "80:79"',
    ],
    [
      tcp(select(filter("DPort", "65536"))),
      kprobe,
      'values[0] needs a port or a range of them like "1:1023", not "65536"',
    ],
    [
      tcp(select(filter("Protocol", "TCP"))),
      kprobe,
      'values[0] needs a name like IPPROTO_TCP, or a number, not "TCP"',
    ],
    [
      tcp(select(filter("Equal", "1"))),
      kprobe,
      "operator needs programs that compare the type sock by Equal",
    ],
    [
      socket(select(filter("DAddr", "10.0.0.1"))),
      kprobe,
      "index needs the argument 1 (sockaddr), which has the destination",
    ],
    [
      socket(select(at(1, filter("Protocol", "6")))),
      kprobe,
      "operator needs programs that compare the type sockaddr by Protocol",
    ],
  ])("%#", (spec, selector, expected) => {
    expect(listReasons(spec)).toEqual([`${selector}: matchArgs[0].${expected}`]);
  });
});

describe("a policy that is too big for the programs", () => {
  test("has more values than there is room for, those of macros and lists counted each time", () => {
    const values = Array.from({ length: 8_192 }, (_, at) => `10.0.${at >> 8}.${at & 255}`);
    const spec = (...values: readonly string[]) => ({
      ...tcp({ macros: ["a"] }, { macros: ["a", "a"] }),
      selectorsMacros: { a: select(filter("DAddr", ...values)) },
    });
    expect(convert(spec(...values)).map(({ kind }) => kind)).toEqual(["rule", "rule"]);
    expect(listReasons(spec(...values, "10.1.0.0"))).toEqual([
      "spec: matchArgs needs room for 16386 values, of 16384",
    ]);
    const lists = [{ name: "a", type: "syscalls", values: Array.from({ length: 16_385 }, () => "sys_dup") }];
    expect(listReasons({ ...raw("syscall64", "list:a"), lists })).toEqual([
      "spec: matchArgs needs room for 16385 values, of 16384",
    ]);
  });

  test("has more selectors than there are rules", () => {
    const hooks = (count: number) => ({
      lsmhooks: Array.from({ length: count }, () => ({ hook: "socket_connect" })),
    });
    expect(convert(hooks(256)).map(({ kind }) => kind)).toEqual(Array.from({ length: 256 }, () => "rule"));
    expect(listReasons(hooks(257))).toEqual(["spec: selectors needs room for 257 rules, of 256"]);
  });

  test("has more hooks by its lists", () => {
    const values = Array.from({ length: 103 }, (_, at) => `sys_${at}`);
    const spec = (count: number) => ({
      lists: [{ name: "a", values }],
      kprobes: Array.from({ length: count }, () => ({ call: "list:a" })),
    });
    expect(listReasons(spec(4))).toEqual(["rule", "rule", "rule", "rule"]);
    expect(listReasons(spec(5))).toEqual(["spec: lists needs room for 515 hooks, of 512"]);
  });
});

test("one selector without a rule is named, while others have rules", () => {
  const spec = { ...exec(select(filter("SubString", "sh")), select(filter("Equal", "/bin/sh"))), ...tcp({}) };
  expect(convert(spec).map(({ selector, kind }) => [selector, kind])).toEqual([
    ["kprobes[0].selectors[0]", "rule"],
    ["lsmhooks[0].selectors[0]", "unsupported"],
    ["lsmhooks[0].selectors[1]", "rule"],
  ]);
});

test("an action that no program has is named with its place", () => {
  expect(listReasons(tcp(act("Post", {}), act("DnsLookup")))).toEqual([
    "rule",
    "kprobes[0].selectors[1]: matchActions[0].action needs the action DnsLookup in the programs",
  ]);
});
