// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { err, ok } from "@rthooks/result";
import { chooseMechanism, describeMechanisms } from "./choose-mechanism.ts";
import type { NodeCapabilities } from "./node-capabilities.ts";
import {
  act,
  at,
  call,
  convert,
  exec,
  filter,
  select,
  socket,
  syscall,
  tcp,
  toRule,
} from "./written-policy.fixture.ts";

const no = err("not here");
const node = (...able: readonly string[]): NodeCapabilities => {
  const has = (name: string) => (able.includes(name) ? ok(undefined) : no);
  return {
    ...{ lsm: has("lsm"), cgroupProgram: has("cgroup"), rawTracepoint: has("raw") },
    ...{ tracepoint: has("tracepoint"), kprobe: has("kprobe") },
    lsmHooks: new Map(
      ["file_open", "socket_connect", "socket_sendmsg", "socket_bind"].map((hook) => [
        hook,
        new Set<"arg0">(["arg0"]),
      ]),
    ),
  };
};
const everything = node("lsm", "raw", "cgroup", "tracepoint", "kprobe");

const kill = act("Sigkill");
const override = act("Override", { argError: -1 });
const term = act("Signal", { argSig: 15 });
const both = { matchActions: [...kill.matchActions, ...override.matchActions] };
const open = (selector: object) => call("security_file_open", ["file"], selector);
const bind = (selector: object) => call("security_socket_bind", ["socket", "sockaddr"], selector);
const install = (selector: object) => call("fd_install", [], selector);
const mkdir = (selector: object) => syscall("sys_mkdir", [], selector);
const choose = (spec: object, capabilities: NodeCapabilities) => chooseMechanism(toRule(spec), capabilities);

describe("the strongest program of the node holds the rule", () => {
  test.each([
    ["execution: LSM", exec(kill), everything, "prevented by lsm"],
    ["execution denied: LSM", exec(override), everything, "prevented by lsm"],
    ["execution: no LSM", exec(kill), node("raw", "cgroup", "kprobe"), "killed before its first instruction"],
    ["execution denied: no LSM", exec(both), node("raw"), "killed before its first instruction"],
    ["execution, another signal", exec(term), node("lsm"), "signalled: the call completes"],
    ["execution counted", exec({}), node("raw"), "counted"],
    ["connection: LSM", tcp(kill), everything, "prevented by lsm"],
    ["connection: no LSM", socket(override), node("cgroup", "kprobe", "raw"), "prevented by cgroup program"],
    ["connection: kprobe", tcp(kill), node("kprobe"), "signalled: the call completes"],
    ["connection, another signal", tcp(term), node("cgroup", "kprobe"), "signalled: the call completes"],
    [
      "connection, LSM has no datagrams",
      tcp(kill),
      { ...everything, lsmHooks: new Map() },
      "prevented by cgroup program",
    ],
    ["connection counted", tcp({}), node("kprobe"), "counted"],
    [
      "datagram",
      call("udp_sendmsg", ["sock"], kill),
      node("cgroup", "kprobe"),
      "prevented by cgroup program",
    ],
    ["bind", bind(override), node("cgroup"), "prevented by cgroup program"],
    ["LSM hook", open(override), everything, "prevented by lsm"],
    ["LSM hook: kprobe", open(kill), node("kprobe"), "signalled: the call completes"],
    ["kernel function", install(kill), everything, "signalled: the call completes"],
    ["system call", mkdir(kill), everything, "signalled: the call completes"],
    ["system call counted", mkdir({}), node("raw"), "counted"],
  ] as const)("%s", (_, spec, capabilities, expected) => {
    const chosen = choose(spec, capabilities);
    expect(chosen.ok ? chosen.value.mechanism : chosen.error).toBe(expected);
  });

  test("at the kernel's function where the node has no program for the LSM hook", () => {
    const hooks = (spec: object, capabilities: NodeCapabilities) => {
      const chosen = choose(spec, capabilities);
      return chosen.ok ? chosen.value.hooks : chosen.error;
    };
    const lsm = [{ kind: "lsm", hook: "file_open" }];
    const opened = [{ kind: "function", name: "security_file_open", args: [{ index: 0, reading: "file" }] }];
    expect<unknown>(hooks(open(kill), everything)).toEqual(lsm);
    expect<unknown>(hooks(open(kill), node("kprobe"))).toEqual(opened);
    const flags = call("security_file_open", ["file", "int"], {
      ...select(at(1, filter("Equal", "1"))),
      ...kill,
    });
    expect<unknown>(hooks(flags, everything)).toMatchObject([{ kind: "function" }]);
    expect<unknown>(hooks(call("security_path_mkdir", []), everything)).toMatchObject([{ kind: "function" }]);
    expect<unknown>(hooks(tcp(term), node("kprobe", "cgroup"))).toEqual([
      { kind: "function", name: "tcp_connect", args: [{ index: 0, reading: "sock" }] },
    ]);
    expect<unknown>(hooks(socket(term), node("kprobe"))).toEqual([
      { kind: "function", name: "security_socket_connect", args: [{ index: 1, reading: "sockaddr" }] },
    ]);
  });

  test("and all selectors of its hook, or the first that matches would not decide", () => {
    const rules = (...selectors: readonly object[]) =>
      convert(tcp(...selectors)).flatMap((outcome) => (outcome.kind === "rule" ? [outcome.rule] : []));
    const choices = (node: NodeCapabilities) => {
      const group = rules(act("NoPost"), term);
      return group.map((rule) => chooseMechanism(rule, node, group));
    };
    const hooks = [{ kind: "function", name: "tcp_connect", args: [{ index: 0, reading: "sock" }] }];
    expect<unknown>(choices(node("cgroup", "kprobe"))).toEqual([
      ok({ mechanism: "counted", hooks, notes: [] }),
      ok({ mechanism: "signalled: the call completes", hooks, notes: [] }),
    ]);
    expect(choices(node("cgroup"))[0]).toEqual(
      err(
        "needs BPF LSM (not here), or a cgroup program (it does not carry out another selector of the hook), or a kprobe (not here)",
      ),
    );
  });

  test("with a note where it does less than the policy says", () => {
    const notes = (spec: object, capabilities: NodeCapabilities) => {
      const chosen = choose(spec, capabilities);
      return chosen.ok ? chosen.value.notes : chosen.error;
    };
    expect(notes(exec(override), node("raw"))).toEqual([
      "the process is killed: the call does not return an error",
    ]);
    expect(notes(tcp(kill), node("cgroup"))).toEqual(["the call fails: the process is not killed"]);
    expect(notes(tcp(kill), everything)).toEqual([]);
    expect(notes(tcp({}), node("cgroup"))).toEqual([]);
  });

  test("of a list is that of the weakest member", () => {
    const spec = {
      lists: [{ name: "a", values: ["security_file_open", "sys_mkdir"] }],
      kprobes: [{ call: "list:a", selectors: [kill] }],
    };
    expect(choose(spec, everything)).toMatchObject({ value: { mechanism: "signalled: the call completes" } });
    expect(choose(spec, node("lsm"))).toEqual(err("needs a raw tracepoint (not here)"));
  });
});

describe("what is missing is named", () => {
  const binary = { matchBinaries: [{ operator: "In", values: ["/bin/sh"] }] };
  test.each([
    [exec(kill), node("cgroup"), "needs BPF LSM (not here), or a raw tracepoint (not here)"],
    [
      socket({ ...select(filter("State", "TCP_ESTABLISHED")), ...override }),
      node("cgroup"),
      "needs BPF LSM (not here), or a cgroup program (it does not know the socketState of the socket)",
    ],
    [
      exec({ ...binary, ...kill }),
      node("raw"),
      "needs BPF LSM (not here), or a raw tracepoint (it does not know the calling binary)",
    ],
    [socket(override), node("kprobe"), "needs BPF LSM (not here), or a cgroup program (not here)"],
    [
      tcp(kill),
      node("raw"),
      "needs BPF LSM (not here), or a cgroup program (not here), or a kprobe (not here)",
    ],
    [
      socket({ ...select(filter("Protocol", "6")), ...term }),
      node("cgroup", "kprobe"),
      "needs BPF LSM (not here), or a kprobe (it does not know the protocol of the socket)",
    ],
    [call("udp_sendmsg", ["sock"], term), node("cgroup", "kprobe"), "needs BPF LSM (not here)"],
    [open(override), node("kprobe"), "needs BPF LSM (not here)"],
    [
      call("security_path_mkdir", [], override),
      everything,
      "needs BPF LSM (there is none for the hook path_mkdir)",
    ],
    [
      call("security_file_open", ["file", "int"], { ...select(at(1, filter("Equal", "1"))), ...override }),
      everything,
      "needs BPF LSM (at the hook file_open it does not read arg1)",
    ],
    [
      mkdir(override),
      everything,
      "needs a program that carries out override at the tracepoint syscalls/sys_enter_mkdir, or the LSM hook path_mkdir in the policy",
    ],
    [
      syscall("sys_getpid", [], override),
      everything,
      "needs a program that carries out override at the tracepoint syscalls/sys_enter_getpid",
    ],
    [mkdir(kill), node("kprobe"), "needs a raw tracepoint (not here)"],
    [install({}), node("tracepoint"), "needs a kprobe (not here)"],
  ])("%#", (spec, capabilities, expected) => {
    expect(choose(spec, capabilities)).toEqual(err(expected));
  });
});

test("a policy has one text about what holds it", () => {
  expect(describeMechanisms([])).toBe("");
  expect(describeMechanisms(["counted", "counted"])).toBe("counted");
  expect(describeMechanisms(["counted", "signalled: the call completes", "prevented by lsm"])).toBe(
    "prevented by lsm, signalled: the call completes",
  );
});
