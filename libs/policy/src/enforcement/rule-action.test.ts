// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { act, call, exec, filter, listReasons, select, toRule } from "./written-policy.fixture.ts";

describe("the action", () => {
  const plain = { effects: [], posts: true, rateLimit: undefined };
  const kill = { ...plain, effects: [{ kind: "kill" }] };
  test.each([
    ["none", {}, plain],
    [
      "Post with a rate",
      act("Post", { rateLimit: "5m" }),
      { ...plain, rateLimit: { seconds: 300, scope: "thread" } },
    ],
    [
      "Post with a rate for all",
      act("Post", { rateLimit: "7", rateLimitScope: "global" }),
      { ...plain, rateLimit: { seconds: 7, scope: "global" } },
    ],
    ["Post with no rate", act("Post", { rateLimit: "0" }), plain],
    [
      "Post with a long rate",
      act("Post", { rateLimit: "99999999h" }),
      { ...plain, rateLimit: { seconds: 4_294_967, scope: "thread" } },
    ],
    ["NoPost", act("NoPost"), { ...plain, posts: false }],
    ["Sigkill", act("Sigkill"), kill],
    ["Signal 9", act("Signal", { argSig: 9 }), kill],
    ["Signal", act("Signal", { argSig: 15 }), { ...plain, effects: [{ kind: "signal", number: 15 }] }],
    ["Override", act("Override", { argError: -1 }), { ...plain, effects: [{ kind: "override", errno: 1 }] }],
    [
      "Override without minus",
      act("Override", { argError: 13 }),
      { ...plain, effects: [{ kind: "override", errno: 13 }] },
    ],
    ["two", { matchActions: [{ action: "Sigkill" }, { action: "NoPost" }] }, { ...kill, posts: false }],
    ["twice the same", { matchActions: [{ action: "Sigkill" }, { action: "Signal", argSig: 9 }] }, kill],
  ])("%s", (_, selector, expected) => {
    expect<unknown>(toRule(exec(selector)).rule).toMatchObject(expected);
  });

  test.each([
    [act("Override"), "argError needs the number of an error from -4095 to -1"],
    [act("Override", { argError: 5000 }), "argError needs the number of an error from -4095 to -1"],
    [act("Signal"), "argSig needs the number of a signal from 1 to 64"],
    [act("Signal", { argSig: 65 }), "argSig needs the number of a signal from 1 to 64"],
    [act("TrackSock"), "action needs the action TrackSock in the programs"],
    [act("GetUrl"), "action needs the action GetUrl in the programs"],
  ])("that no program has is named: %#", (selector, reason) => {
    expect(listReasons(call("security_file_open", [], selector))).toEqual([
      `kprobes[0].selectors[0]: matchActions[0].${reason}`,
    ]);
  });
});

describe("NotifyEnforcer", () => {
  const notify = (more: object) => act("NotifyEnforcer", more);
  const enforcers = [{ calls: ["list:a", "sys_mkdir"] }];
  const lists = [{ name: "a", type: "syscalls", values: ["sys_dup", "__ia32_sys_dup"] }];
  const raw = (selector: object, args: readonly object[] = [{ index: 4, type: "syscall64" }]) => ({
    ...{ enforcers, lists },
    tracepoints: [{ subsystem: "raw_syscalls", event: "sys_enter", args, selectors: [selector] }],
  });
  const hook = (name: string, selector: object) => ({
    ...{ enforcers, lists },
    kprobes: [{ call: name, selectors: [selector] }],
  });

  test("kills at the calls of the enforcers only", () => {
    const { rule, notes } = toRule(raw(notify({ argSig: 9, argError: -1 })));
    expect(rule.effects).toEqual([{ kind: "kill" }]);
    expect(rule.filters.numbers).toEqual([{ facet: "arg0", values: [32n, 83n], isNegated: false }]);
    expect(notes).toContain("the process is killed; its call does not get argError");
  });

  test("needs no number of the call at a hook on one of the calls", () => {
    const { rule } = toRule(hook("sys_mkdir", notify({ argSig: 15 })));
    expect(rule.effects).toEqual([{ kind: "signal", number: 15 }]);
    expect(rule.filters.numbers).toEqual([]);
  });

  test("without a signal denies the call", () => {
    expect(toRule(hook("sys_mkdir", notify({ argError: -13 }))).rule.effects).toEqual([
      { kind: "override", errno: 13 },
    ]);
  });

  test.each([
    [
      raw(notify({ argSig: 9 }), []),
      "tracepoints[0].selectors[0]: matchActions[0].action needs an argument with the number of the system call, index 4",
    ],
    [
      hook("sys_rmdir", notify({ argSig: 9 })),
      "kprobes[0].selectors[0]: matchActions[0].action needs a hook on system calls that spec.enforcers has",
    ],
    [
      hook("sys_mkdir", notify({ argSig: 15, argError: -1 })),
      "kprobes[0].selectors[0]: matchActions[0].argError needs a program that denies system calls",
    ],
    [
      hook("sys_mkdir", { ...select(filter("Equal", "1")), ...notify({}) }),
      "kprobes[0].selectors[0]: matchArgs[0].index needs an argument that args declares",
    ],
  ])("that cannot be carried out says why: %#", (spec, reason) => {
    expect(listReasons(spec)).toEqual([reason]);
  });
});
