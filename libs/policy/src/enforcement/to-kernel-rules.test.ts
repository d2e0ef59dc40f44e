// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import {
  act,
  at,
  bprm,
  butPaths,
  convert,
  exec,
  filter,
  ofPaths,
  select,
  sh,
  socket,
  summarize,
  tcp,
  usr,
} from "./written-policy.fixture.ts";

describe("a hook about executions", () => {
  const selectors = [select(filter("Equal", "/bin/sh"))];
  const string = (index: number) => [{ index, type: "string" }];
  test.each([
    ["LSM", exec(...selectors)],
    ["kprobe", { kprobes: [{ call: "security_bprm_check", syscall: false, args: bprm, selectors }] }],
    ["fentry", { fentries: [{ call: "security_bprm_check", syscall: false, args: bprm, selectors }] }],
    ["sys_execve", { kprobes: [{ call: "sys_execve", args: string(0), selectors }] }],
    [
      "by place",
      {
        kprobes: [
          {
            call: "sys_execve",
            args: string(0),
            selectors: [select({ ...filter("Equal", "/bin/sh"), args: [0] })],
          },
        ],
      },
    ],
    ["__x64_sys_execve", { kprobes: [{ call: "__x64_sys_execve", args: string(0), selectors }] }],
    [
      "sys_execveat",
      {
        kprobes: [
          { call: "sys_execveat", args: string(1), selectors: [select(at(1, filter("Equal", "/bin/sh")))] },
        ],
      },
    ],
    [
      "tracepoint",
      {
        tracepoints: [
          {
            subsystem: "sched",
            event: "sched_process_exec",
            args: string(4),
            selectors: [select(at(4, filter("Equal", "/bin/sh")))],
          },
        ],
      },
    ],
    [
      "raw tracepoint",
      {
        tracepoints: [
          {
            subsystem: "sched",
            event: "sched_process_exec",
            raw: true,
            args: [{ index: 2, type: "linux_binprm" }],
            selectors: [select(at(2, filter("Equal", "/bin/sh")))],
          },
        ],
      },
    ],
    [
      "system call's tracepoint",
      {
        tracepoints: [
          {
            subsystem: "syscalls",
            event: "sys_enter_execve",
            args: string(5),
            selectors: [select(at(5, filter("Equal", "/bin/sh")))],
          },
        ],
      },
    ],
  ] as const)("%s: is one about the path", (_, spec) => {
    expect(convert(spec).map(summarize)).toEqual([ofPaths(sh)]);
  });

  test.each([
    ["no selector is about all", exec(), butPaths()],
    ["no filter is about all", exec({}), butPaths()],
    [
      "several paths",
      exec(select(filter("Equal", "/bin/sh", "/bin/ls"))),
      ofPaths(sh, { path: "/bin/ls", match: "exact" }),
    ],
    ["prefix", exec(select(filter("Prefix", "/usr/"))), ofPaths(usr)],
    ["all but a path", exec(select(filter("NotEqual", "/bin/sh"))), butPaths(sh)],
    ["all but a prefix", exec(select(filter("NotPrefix", "/usr/"))), butPaths(usr)],
    [
      "all but both",
      exec(select(filter("NotPrefix", "/usr/"), filter("NotEqual", "/bin/sh"))),
      butPaths(usr, sh),
    ],
    [
      "a path of a prefix",
      exec(select(filter("Prefix", "/bin/"), filter("Equal", "/bin/sh", "/usr/x"))),
      ofPaths(sh),
    ],
    [
      "exception beside the prefix",
      exec(select(filter("Prefix", "/usr/"), filter("NotEqual", "/bin/sh"))),
      ofPaths(usr),
    ],
    [
      "exception that is all",
      exec(select(filter("Equal", "/bin/sh"), filter("NotPrefix", "/bin/"))),
      "never_matches",
    ],
    ["prefix of all", exec(select(filter("Prefix", "/"))), butPaths()],
    ["all but all", exec(select(filter("NotPrefix", "/", "/usr/"))), "never_matches"],
    ["exception of all", exec(select(filter("Prefix", "/"), filter("NotEqual", "/bin/sh"))), butPaths(sh)],
    ["contradiction", exec(select(filter("Equal", "/bin/sh"), filter("Equal", "/bin/ls"))), "never_matches"],
  ])("filters: %s", (_, spec, expected) => {
    expect(convert(spec).map(summarize)).toEqual([expected]);
  });

  test("has the filters and actions of its macros", () => {
    const spec = {
      ...exec({ ...select(filter("Prefix", "/usr/", "/bin/")), macros: ["no-shell"] }),
      selectorsMacros: { "no-shell": { ...select(filter("Equal", "/bin/sh")), ...act("Sigkill") } },
    };
    const [outcome] = convert(spec);
    expect(outcome).toMatchObject({
      rule: { subject: ofPaths(sh), action: { effects: [{ kind: "kill" }] } },
    });
  });
});

describe("a hook about connections", () => {
  const all = { kind: "connect", addresses: [], isNegated: true, ports: [], sockets: "stream" };
  const address = "169.254.169.254";
  test.each([
    ["no filter", tcp({}), all],
    [
      "address",
      tcp(select(filter("DAddr", address, "fd00::/8"))),
      { ...all, addresses: [address, "fd00::/8"], isNegated: false },
    ],
    ["all but a block", tcp(select(filter("NotDAddr", "10.0.0.0/8"))), { ...all, addresses: ["10.0.0.0/8"] }],
    [
      "an address of a block, in IPv6 form",
      tcp(select(filter("DAddr", "10.0.0.0/8"), filter("DAddr", "::ffff:10.1.2.3"))),
      { ...all, addresses: ["::ffff:10.1.2.3"], isNegated: false },
    ],
    ["ports", tcp(select(filter("DPort", "80", "8080:8082"))), { ...all, ports: [80, 8080, 8081, 8082] }],
    [
      "ports of two filters",
      tcp(select(filter("DPort", "80:90"), filter("DPort", "89:99"))),
      { ...all, ports: [89, 90] },
    ],
    ["no port in common", tcp(select(filter("DPort", "80"), filter("DPort", "81"))), "never_matches"],
    [
      "IPv4",
      tcp(select(filter("Family", "AF_INET"))),
      { ...all, addresses: ["0.0.0.0/0"], isNegated: false },
    ],
    ["IPv6", tcp(select(filter("Family", "10"))), { ...all, addresses: ["0.0.0.0/0"] }],
    [
      "all of IPv6",
      tcp(select(filter("DAddr", "::/0"), filter("NotDAddr", "fd00::/8"))),
      { ...all, addresses: ["fd00::/8"] },
    ],
    ["both families", tcp(select(filter("Family", "AF_INET", "AF_INET6"))), all],
    ["UDP of TCP", tcp(select(filter("Protocol", "IPPROTO_UDP"))), "never_matches"],
    ["any socket", socket({}), { ...all, sockets: "all" }],
    ["TCP of any", socket(select(filter("Protocol", "6"))), { ...all, sockets: "stream" }],
    ["UDP of any", socket(select(filter("Protocol", "IPPROTO_UDP"))), { ...all, sockets: "datagram" }],
    ["both protocols", socket(select(filter("Protocol", "6", "17"))), { ...all, sockets: "all" }],
    [
      "the sockaddr's address is the destination",
      socket(select(at(1, filter("SAddr", address)), at(1, filter("SPort", "80")))),
      { ...all, addresses: [address], isNegated: false, ports: [80], sockets: "all" },
    ],
    [
      "the same as DAddr",
      socket(select(at(1, filter("NotDAddr", address)))),
      { ...all, addresses: [address], sockets: "all" },
    ],
    [
      "datagrams",
      {
        kprobes: [
          {
            call: "udp_sendmsg",
            syscall: false,
            args: [{ index: 0, type: "sock" }],
            selectors: [select(filter("DPort", "53"))],
          },
        ],
      },
      { ...all, ports: [53], sockets: "datagram" },
    ],
    ["LSM", { lsmhooks: [{ hook: "socket_connect" }] }, { ...all, sockets: "all" }],
  ])("filters: %s", (_, spec, expected) => {
    expect(convert(spec).map(summarize)).toEqual([expected]);
  });

  test("with a privileged port has all of them", () => {
    const [outcome] = convert(tcp(select({ operator: "DPortPriv" })));
    expect(outcome).toMatchObject({
      rule: { subject: { ports: Array.from({ length: 1024 }, (_, port) => port) } },
    });
  });
});

describe("the action", () => {
  const counts = { effects: [], posts: true, rateLimit: undefined };
  test.each([
    ["none", {}, counts],
    ["Post", act("Post", { rateLimit: "5m" }), { ...counts, rateLimit: "5m" }],
    ["NoPost", act("NoPost"), { ...counts, posts: false }],
    ["Sigkill", act("Sigkill"), { ...counts, effects: [{ kind: "kill" }] }],
    ["Signal 9", act("Signal", { argSig: 9 }), { ...counts, effects: [{ kind: "kill" }] }],
    ["Signal", act("Signal", { argSig: 15 }), { ...counts, effects: [{ kind: "signal", number: 15 }] }],
    ["Override", act("Override", { argError: -1 }), { ...counts, effects: [{ kind: "override" }] }],
    [
      "two",
      { matchActions: [{ action: "Sigkill" }, { action: "NoPost" }] },
      { ...counts, posts: false, effects: [{ kind: "kill" }] },
    ],
  ])("%s", (_, selector, action) => {
    expect(convert(exec(selector))).toMatchObject([{ rule: { action } }]);
  });
});

describe("the containers", () => {
  const containers = (spec: object, namespace?: string) => {
    const [outcome] = convert(spec, namespace);
    if (outcome?.kind !== "rule") throw new Error(JSON.stringify(outcome));
    const { filters, includesHost } = outcome.rule;
    return {
      filters: filters.map(({ namespace, podSelector }) => [
        namespace,
        ...(podSelector?.matchLabels.values() ?? []),
      ]),
      includesHost,
    };
  };
  const pods = (app: string) => ({ podSelector: { matchLabels: { app } } });
  test.each([
    ["of every process", exec({}), undefined, { filters: [], includesHost: true }],
    [
      "of the policy",
      { ...exec({}), ...pods("web") },
      undefined,
      { filters: [[undefined, "web"]], includesHost: false },
    ],
    ["of a namespace", exec({}), "shop", { filters: [["shop"]], includesHost: false }],
    [
      "of the selector",
      exec({ matchWorkloads: pods("web") }),
      undefined,
      { filters: [[undefined, "web"]], includesHost: false },
    ],
    [
      "of both",
      { ...exec({ matchWorkloads: pods("db") }), ...pods("web") },
      "shop",
      {
        filters: [
          ["shop", "web"],
          [undefined, "db"],
        ],
        includesHost: false,
      },
    ],
    [
      "of pods and host",
      { ...exec({ matchWorkloads: { hostSelector: {} } }), ...pods("web"), hostSelector: {} },
      undefined,
      { filters: [[undefined, "web"], [undefined]], includesHost: true },
    ],
  ])("%s", (_, spec, namespace, expected) => {
    expect(containers(spec, namespace)).toEqual(expected);
  });
});

test("a rule that is wider or narrower than the policy's words says so", () => {
  const notes = (spec: object) =>
    convert(spec).map((outcome) => (outcome.kind === "rule" ? outcome.rule.notes : []));
  expect(notes(exec({}))).toEqual([[]]);
  expect(notes({ kprobes: [{ call: "sys_execve" }] })).toEqual([[expect.stringContaining("links")]]);
  expect(notes(tcp(select(filter("Family", "AF_INET"), filter("Protocol", "6"))))).toEqual([
    [expect.stringContaining("IPv4-mapped"), expect.stringContaining("stream and datagram")],
  ]);
});
