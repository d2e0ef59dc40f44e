// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { act, at, convert, exec, filter, select, socket, summarize, tcp } from "./written-policy.fixture.ts";

describe("what no program can do is named", () => {
  const hook = (call: string, syscall: boolean) => ({ kprobes: [{ call, syscall }] });
  const first = "lsmhooks[0].selectors[0]";
  const connection = "kprobes[0].selectors[0]";
  test.each([
    [
      hook("fd_install", false),
      'kprobes[0]: call needs a kprobe program on the kernel function "fd_install"',
    ],
    [
      hook("security_file_open", false),
      'kprobes[0]: call needs a kprobe program on the kernel function "security_file_open", or one on its LSM hook',
    ],
    [
      { fentries: [{ call: "fd_install", syscall: false }] },
      'fentries[0]: call needs a fentry program on the kernel function "fd_install"',
    ],
    [hook("sys_mount", true), 'kprobes[0]: call needs a program on the system call "sys_mount"'],
    [hook("tcp_connect", true), 'kprobes[0]: call needs a program on the system call "tcp_connect"'],
    [
      { lists: [{ name: "a", values: ["sys_execve"] }], ...hook("list:a", true) },
      "kprobes[0]: call needs a hook on each call of a list",
    ],
    [{ lsmhooks: [{ hook: "file_open" }] }, 'lsmhooks[0]: hook needs a program on the LSM hook "file_open"'],
    [
      { tracepoints: [{ subsystem: "raw_syscalls", event: "sys_enter" }] },
      'tracepoints[0]: event needs a program on the system call\'s tracepoint "raw_syscalls/sys_enter"',
    ],
    [
      { tracepoints: [{ subsystem: "sched", event: "sched_switch" }] },
      'tracepoints[0]: event needs a program on the tracepoint "sched/sched_switch"',
    ],
    [{ uprobes: [{ path: "/bin/sh" }] }, "uprobes[0]: path needs programs for uprobes"],
    [{ usdts: [{ path: "/bin/sh", provider: "a", name: "b" }] }, "usdts[0]: path needs programs for usdts"],
    [{ loader: true }, "spec: loader needs programs for loads of libraries"],
    [
      exec({ matchBinaries: [{ operator: "In", values: ["/bin/sh"] }] }),
      `${first}: matchBinaries needs programs that compare the calling binary`,
    ],
    [
      exec({ matchPIDs: [{ operator: "In", values: [1] }] }),
      `${first}: matchPIDs needs programs that compare process ids`,
    ],
    [
      {
        ...exec({ macros: ["a"] }),
        selectorsMacros: { a: { matchPIDs: [{ operator: "In", values: [1] }] } },
      },
      `${first}: matchPIDs needs programs that compare process ids`,
    ],
    [
      { ...exec({ macros: ["a"] }), selectorsMacros: { a: { matchWorkloads: {} } } },
      `${first}: macros needs matchWorkloads in the selector itself`,
    ],
    [
      exec(select(filter("Postfix", "sh"))),
      `${first}: matchArgs[0].operator needs a comparison of paths by Postfix`,
    ],
    [
      exec(select(filter("Equal", "/a"), filter("Equal", "sh"))),
      `${first}: matchArgs[1].values[0] needs an absolute path, not "sh"`,
    ],
    [
      exec(select(filter("Equal", "/bin/../sh"))),
      `${first}: matchArgs[0].values[0] needs a path without empty parts, "." and "..", not "/bin/../sh"`,
    ],
    [
      exec(select(filter("Prefix", "/bin//s"))),
      `${first}: matchArgs[0].values[0] needs a path without empty parts, "." and "..", not "/bin//s"`,
    ],
    [
      exec(select(filter("Equal", "/bin/sh\0"))),
      `${first}: matchArgs[0].values[0] needs a path of less than 256 bytes without a zero, not "/bin/sh\\u0000"`,
    ],
    [exec(select(filter("Equal"))), `${first}: matchArgs[0].values needs a value`],
    [
      exec(select(at(1, filter("Equal", "/bin/sh")))),
      `${first}: matchArgs[0].index needs an argument that args declares`,
    ],
    [
      {
        lsmhooks: [
          {
            hook: "bprm_check_security",
            args: [{ index: 0, type: "file" }],
            selectors: [select(filter("Equal", "/bin/sh"))],
          },
        ],
      },
      `${first}: matchArgs[0].index needs programs that compare argument 0 as file`,
    ],
    [
      {
        lsmhooks: [
          {
            hook: "bprm_check_security",
            args: [{ index: 0, type: "linux_binprm", resolve: "mm.owner.pid" }],
            selectors: [select(filter("Equal", "/bin/sh"))],
          },
        ],
      },
      `${first}: matchArgs[0].index needs programs that follow resolve`,
    ],
    [
      exec(select(filter("Prefix", "/usr/"), filter("NotEqual", "/usr/ls"))),
      `${first}: matchArgs[1].values needs a rule that has paths and exceptions from them`,
    ],
    [
      tcp(select(filter("DAddr", "10.0.0.0/8"), filter("NotDAddr", "10.0.0.1"))),
      `${connection}: matchArgs[1].values needs a rule that has addresses and exceptions from them`,
    ],
    [
      tcp(select(filter("DAddr", "example.org"))),
      `${connection}: matchArgs[0].values[0] needs an address or a block of them, not "example.org"`,
    ],
    [
      tcp(select(filter("DPort", "80:79"))),
      `${connection}: matchArgs[0].values[0] needs a port or a range of them like "1:1023", not "80:79"`,
    ],
    [
      tcp(select(filter("DPort", "65536"))),
      `${connection}: matchArgs[0].values[0] needs a port or a range of them like "1:1023", not "65536"`,
    ],
    [tcp(select(filter("DPort", "1:1025"))), `${connection}: matchArgs[0].values needs at most 1024 ports`],
    [
      tcp(select(filter("NotDPort", "80"))),
      `${connection}: matchArgs[0].operator needs a comparison of connections by NotDPort`,
    ],
    [
      tcp(select(filter("SAddr", "10.0.0.1"))),
      `${connection}: matchArgs[0].operator needs a comparison of connections by SAddr`,
    ],
    [
      tcp(select(filter("Protocol", "IPPROTO_ICMP"))),
      `${connection}: matchArgs[0].values[0] needs IPPROTO_TCP or IPPROTO_UDP, not "IPPROTO_ICMP"`,
    ],
    [
      tcp(select(filter("Family", "AF_UNIX"))),
      `${connection}: matchArgs[0].values[0] needs AF_INET or AF_INET6, not "AF_UNIX"`,
    ],
    [
      socket(select(filter("DAddr", "10.0.0.1"))),
      `${connection}: matchArgs[0].index needs the argument 1 (sockaddr), which has the destination`,
    ],
    [
      exec(act("Override")),
      `${first}: matchActions[0].argError needs the error -1 (EPERM), the only one that programs give`,
    ],
    [
      exec(act("Override", { argError: -2 })),
      `${first}: matchActions[0].argError needs the error -1 (EPERM), the only one that programs give`,
    ],
    [exec(act("Signal")), `${first}: matchActions[0].argSig needs the number of a signal`],
    [exec(act("Post", { imaHash: true })), `${first}: matchActions[0].imaHash needs hashes of IMA`],
    [
      tcp(act("TrackSock")),
      `${connection}: matchActions[0].action needs the action TrackSock in the programs`,
    ],
    [
      tcp(act("Post", { userStackTrace: true })),
      `${connection}: matchActions[0].userStackTrace needs stack traces`,
    ],
  ])("%#", (spec, expected) => {
    expect(convert(spec).map(summarize)).toEqual([expected]);
  });

  test("of a policy with more values than there is room for, those of macros counted each time", () => {
    const values = Array.from({ length: 8_192 }, (_, at) => `10.0.${at >> 8}.${at & 255}`);
    const spec = (...values: readonly string[]) => ({
      ...tcp({ macros: ["a"] }, { macros: ["a", "a"] }),
      selectorsMacros: { a: select(filter("DAddr", ...values)) },
    });
    expect(convert(spec(...values)).map(({ kind }) => kind)).toEqual(["rule", "never_matches"]);
    expect(convert(spec(...values, "10.1.0.0")).map(summarize)).toEqual([
      "spec: matchArgs needs room for 16386 values, of 16384",
    ]);
  });

  test("of a policy with more selectors than there are rules", () => {
    const hooks = (count: number) => ({
      lsmhooks: Array.from({ length: count }, () => ({ hook: "socket_connect" })),
    });
    expect(convert(hooks(256)).map(({ kind }) => kind)).toEqual(Array.from({ length: 256 }, () => "rule"));
    expect(convert(hooks(257)).map(summarize)).toEqual(["spec: selectors needs room for 257 rules, of 256"]);
  });

  test("of one selector, while others have rules", () => {
    const spec = { ...exec(select(filter("Postfix", "sh")), select(filter("Equal", "/bin/sh"))), ...tcp({}) };
    expect(convert(spec).map(({ selector, kind }) => [selector, kind])).toEqual([
      ["kprobes[0].selectors[0]", "rule"],
      ["lsmhooks[0].selectors[0]", "unsupported"],
      ["lsmhooks[0].selectors[1]", "rule"],
    ]);
  });
});
