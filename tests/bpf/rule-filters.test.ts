// SPDX-License-Identifier: Apache-2.0
// Each kind of filter on this kernel, with a process that it matches and one that it does not.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import type { Comparison, KernelRule, NumberFilter, RuleFilters, TextFilter } from "@rthooks/policy";
import { must } from "@rthooks/result/must";
import { findCgroupDirectory } from "../harness/cgroup.ts";
import { runInCgroup } from "../harness/enter-cgroup.ts";
import { connectRule, execRule } from "../harness/kernel-rules.ts";
import { findTool } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { type Enforcement, openEnforcement } from "./open-enforcement.ts";

const workspace = createWorkspace("rule-filters");
const script = join(import.meta.dir, "connect.py");
const python = realpathSync(findTool("python3"));
let enforcement: Enforcement;
beforeAll(() => {
  enforcement = openEnforcement(workspace);
});
afterAll(() => workspace.close(), 60_000);
beforeEach(() => enforcement.removeAll());

type Call = readonly [how: string, address: string, port: number];

/** What each of the calls ended with. */
const connect = (...calls: readonly Call[]): readonly string[] =>
  runInCgroup(enforcement.container, [python, script, ...calls.flat().map(String)])
    .stdout.trim()
    .split("\n");

const toPort = (port: number): Call => ["tcp", "127.0.0.2", port];
const numbers = (values: readonly bigint[], change: Partial<NumberFilter> = {}): Partial<RuleFilters> => ({
  numbers: [{ facet: "destinationPort", values, isNegated: false, ...change }],
});
const compare = (operator: Comparison["operator"], values: readonly bigint[]): Partial<RuleFilters> => ({
  comparisons: [{ facet: "destinationPort", operator, values, isSigned: false }],
});
const addresses = (blocks: readonly string[], isNegated = false): Partial<RuleFilters> => ({
  addresses: [{ facet: "destination", blocks, isNegated }],
});

describe("a connection", () => {
  test.each<{ what: string; filters: Partial<RuleFilters>; matching: Call; other: Call }>([
    { what: "a number", filters: numbers([80n, 443n]), matching: toPort(443), other: toPort(444) },
    {
      ...{ what: "all numbers but some", filters: numbers([80n, 443n], { isNegated: true }) },
      ...{ matching: toPort(81), other: toPort(443) },
    },
    { what: "more than", filters: compare("gt", [1023n]), matching: toPort(1024), other: toPort(1023) },
    { what: "less than", filters: compare("lt", [1024n]), matching: toPort(1023), other: toPort(1024) },
    { what: "one of the bits", filters: compare("mask", [6n]), matching: toPort(12), other: toPort(9) },
    {
      ...{ what: "a range", filters: compare("inRange", [80n, 90n, 443n, 443n]) },
      ...{ matching: toPort(90), other: toPort(91) },
    },
    {
      ...{ what: "outside of ranges", filters: compare("notInRange", [80n, 90n, 443n, 443n]) },
      ...{ matching: toPort(442), other: toPort(443) },
    },
    {
      what: "several filters on one facet",
      filters: { ...numbers([85n], { isNegated: true }), ...compare("inRange", [80n, 90n]) },
      ...{ matching: toPort(84), other: toPort(85) },
    },
    {
      ...{ what: "the protocol", filters: numbers([6n], { facet: "protocol" }) },
      ...{ matching: toPort(9), other: ["udp", "127.0.0.2", 9] },
    },
    {
      ...{ what: "the protocol of Multipath TCP", filters: numbers([6n], { facet: "protocol" }) },
      ...{ matching: ["mptcp", "127.0.0.2", 9], other: ["sendto", "127.0.0.2", 9] },
    },
    {
      ...{ what: "the family", filters: numbers([10n], { facet: "family" }) },
      ...{ matching: ["tcp", "::1", 9], other: toPort(9) },
    },
    {
      ...{ what: "the type of socket", filters: numbers([2n], { facet: "socketType" }) },
      ...{ matching: ["udp", "127.0.0.2", 9], other: toPort(9) },
    },
    {
      ...{ what: "an address", filters: addresses(["127.0.0.3", "127.0.1.0/24"]) },
      ...{ matching: ["tcp", "127.0.1.7", 9], other: ["tcp", "127.0.0.2", 9] },
    },
    {
      ...{ what: "all addresses but some", filters: addresses(["127.0.0.3", "127.0.1.0/24"], true) },
      ...{ matching: ["tcp", "127.0.0.2", 9], other: ["tcp", "127.0.1.7", 9] },
    },
    {
      what: "a block but what is in it",
      filters: {
        addresses: [
          { facet: "destination", blocks: ["127.0.0.0/16"], isNegated: false },
          { facet: "destination", blocks: ["127.0.0.0/24"], isNegated: true },
        ],
      },
      ...{ matching: ["tcp", "127.0.3.1", 9], other: ["tcp", "127.0.0.7", 9] },
    },
    {
      ...{ what: "a negated filter on what it does not have", matching: toPort(9), other: toPort(10) },
      filters: { ...numbers([9n]), addresses: [{ facet: "source", blocks: ["::/0"], isNegated: true }] },
    },
  ])("$what", ({ filters, matching, other }) => {
    enforcement.put(130, connectRule(filters));
    expect(connect(matching, other)).toEqual(["EPERM", "passed"]);
  });

  test("does not match a filter on what it does not have", () => {
    enforcement.put(1, connectRule({ addresses: [{ facet: "source", blocks: ["::/0"], isNegated: false }] }));
    enforcement.put(2, connectRule(numbers([0n], { facet: "socketState" })));
    expect(connect(toPort(9))).toEqual(["passed"]);
  });

  test("fails with the error of the rule", () => {
    enforcement.put(1, connectRule(numbers([80n]), { effects: [{ kind: "override", errno: 13 }] }));
    expect(connect(toPort(80), toPort(81))).toEqual(["EACCES", "passed"]);
  });

  test("fails where a rule would kill the process", () => {
    enforcement.put(1, connectRule(numbers([80n]), { effects: [{ kind: "kill" }] }));
    expect(connect(toPort(80), toPort(81))).toEqual(["EPERM", "passed"]);
  });
});

const binary = (match: TextFilter["match"], value: string, isNegated = false): TextFilter => ({
  ...{ facet: "binary", match, values: [value], isNegated },
});

describe("the process that connects", () => {
  const nc = (): string =>
    runInCgroup(enforcement.container, [findTool("busybox"), "nc", "127.0.0.2", "9"]).stderr;

  test.each([
    { what: "the binary", filter: binary("exact", python) },
    { what: "the beginning of the binary", filter: binary("prefix", `${python.slice(0, -4)}`) },
    { what: "the end of the binary", filter: binary("postfix", python.slice(-8)) },
    { what: "all binaries but one", filter: binary("exact", realpathSync(findTool("busybox")), true) },
    { what: "all ends of binaries but one", filter: binary("postfix", "/busybox", true) },
  ])("matches $what", ({ filter }) => {
    enforcement.put(1, connectRule({ texts: [filter] }));
    expect(connect(toPort(9))).toEqual(["EPERM"]);
    expect(nc()).toContain("refused");
  });

  test("matches its number, in the namespace of the node", async () => {
    const start = () => {
      const procs = join(findCgroupDirectory(enforcement.container), "cgroup.procs");
      const line = `echo $$ >${procs}; read line; exec ${python} ${script} tcp 127.0.0.2 9`;
      return Bun.spawn(["/bin/sh", "-c", line], { stdin: "pipe", stdout: "pipe" });
    };
    const [own, other] = [start(), start()];
    enforcement.put(1, connectRule(numbers([BigInt(own.pid)], { facet: "pid" })));
    const results = [own, other].map(async (process) => {
      process.stdin.write("go\n");
      await process.stdin.end();
      return new Response(process.stdout).text();
    });
    expect(await Promise.all(results)).toEqual(["EPERM\n", "passed\n"]);
  });

  test("matches its number in its own namespace", () => {
    enforcement.put(1, connectRule(numbers([1n], { facet: "namespacePid" })));
    const command = [findTool("unshare"), "--pid", "--fork", python, script, "tcp", "127.0.0.2", "9"];
    expect(runInCgroup(enforcement.container, command).stdout).toBe("EPERM\n");
    expect(connect(toPort(9))).toEqual(["passed"]);
  });
});

describe("an execution", () => {
  const bin = workspace.path("bin");
  beforeAll(() => {
    mkdirSync(join(bin, "sub"), { recursive: true });
    for (const name of ["tool", "tool-2", "sub/tool"]) copyFileSync("/bin/busybox", join(bin, name));
  });
  const run = (name: string): string => {
    const { signal, exitCode } = runInCgroup(enforcement.container, [join(bin, name)]);
    return signal === "" ? String(exitCode) : signal;
  };
  const path = (match: TextFilter["match"], value: string, isNegated = false): TextFilter => ({
    ...{ facet: "arg0", match, values: [value], isNegated },
  });
  const found = "127";

  test.each([
    { what: "a path", texts: [path("exact", join(bin, "tool"))], matching: "tool", other: "tool-2" },
    {
      what: "a beginning",
      texts: [path("prefix", join(bin, "tool"))],
      matching: "tool-2",
      other: "sub/tool",
    },
    { what: "an end", texts: [path("postfix", "/tool")], matching: "sub/tool", other: "tool-2" },
    { what: "all ends but one", texts: [path("postfix", "/tool", true)], matching: "tool-2", other: "tool" },
    {
      ...{ what: "a beginning and an end", matching: "sub/tool", other: "tool" },
      texts: [path("prefix", join(bin, "sub/")), path("postfix", "tool")],
    },
    {
      ...{ what: "a beginning, but not an end", matching: "tool-2", other: "tool" },
      texts: [path("prefix", `${bin}/`), path("postfix", "tool", true)],
    },
    {
      ...{ what: "a directory but what is in it", matching: "tool", other: "sub/tool" },
      texts: [path("prefix", `${bin}/`), path("prefix", `${bin}/sub/`, true)],
    },
  ])("$what", ({ texts, matching, other }) => {
    enforcement.put(70, execRule({ texts }, { effects: [{ kind: "kill" }] }));
    expect([run(matching), run(other)]).toEqual(["SIGKILL", found]);
  });

  test("of a long path is compared by its end, too", () => {
    const deep = Array.from({ length: 30 }, (_, at) => `directory-${at}`).join("/");
    mkdirSync(join(bin, deep), { recursive: true });
    for (const name of ["tool", "tool-2"]) copyFileSync("/bin/busybox", join(bin, deep, name));
    const end = join(bin, deep, "tool").slice(-255);
    enforcement.put(1, execRule({ texts: [path("postfix", end)] }));
    expect([run(join(deep, "tool")), run(join(deep, "tool-2"))]).toEqual(["SIGKILL", found]);
  });

  test("gets the signal of the rule", () => {
    enforcement.put(
      1,
      execRule({ texts: [path("exact", join(bin, "tool"))] }, { effects: [{ kind: "signal", number: 10 }] }),
    );
    expect([run("tool"), run("tool-2")]).toEqual(["SIGUSR1", found]);
  });

  test("outside of all containers is that of rules about the host", () => {
    const rule = execRule({ texts: [path("exact", join(bin, "tool"))] });
    enforcement.put(1, rule, { host: true, cgroupIds: new Set() });
    expect(runInCgroup(enforcement.root, [join(bin, "tool")]).signal).toBe("SIGKILL");
    expect(run("tool")).toBe(found);
  });
});

describe("of the selectors of a hook", () => {
  const groups = (...rules: readonly (readonly [number, KernelRule, boolean])[]): void => {
    for (const [number, rule, follows] of rules) enforcement.put(number, rule, { follows });
  };
  const passes: Partial<KernelRule> = { effects: [], posts: false };

  test.each([0, 62, 128])("the first that matches decides: from rule %p on", (number) => {
    groups(
      [number, connectRule(numbers([80n]), passes), false],
      [number + 1, connectRule(compare("lt", [100n])), true],
    );
    expect(connect(toPort(80), toPort(81), toPort(100))).toEqual(["passed", "EPERM", "passed"]);
    expect([enforcement.count(number), enforcement.count(number + 1)]).toEqual([
      { matched: 1n, denied: 0n },
      { matched: 1n, denied: 1n },
    ]);
  });

  test("one that matches only because a path cannot be known does not decide", () => {
    const deep = join(workspace.path("deep"), ...Array.from({ length: 150 }, () => "d"));
    mkdirSync(deep, { recursive: true });
    const busybox = realpathSync(findTool("busybox"));
    copyFileSync(busybox, join(deep, "true"));
    const run = (path: string): string => runInCgroup(enforcement.container, [path, "true"]).signal;
    for (const match of ["exact", "postfix"] as const) {
      // const: kinds of comparisons
      groups(
        [
          8,
          execRule({ texts: [{ facet: "arg0", match, values: [busybox], isNegated: false }] }, passes),
          false,
        ],
        [9, execRule({}), true],
      );
      expect([match, run(join(deep, "true")), run(busybox)]).toEqual([match, "SIGKILL", ""]);
      enforcement.removeAll();
    }
  });

  test("one that is not the next decides as well, and other hooks have their own", () => {
    groups(
      [8, connectRule(numbers([80n]), passes), false],
      [9, connectRule(numbers([99n]), passes), true],
      [10, connectRule(compare("lt", [100n])), true],
      [11, connectRule(numbers([80n, 82n])), false],
      [12, connectRule(numbers([83n])), false],
    );
    expect(connect(toPort(80), toPort(99), toPort(81), toPort(120))).toEqual([
      ...["EPERM", "passed", "EPERM", "passed"],
    ]);
    expect([8, 9, 10, 11, 12].map((number) => enforcement.count(number).matched)).toEqual([
      1n,
      1n,
      1n,
      1n,
      0n,
    ]);
  });
});

test("many rules match one event", () => {
  for (let number = 0; number < 256; number += 3) enforcement.put(number, connectRule(numbers([80n])));
  expect(connect(toPort(80), toPort(81))).toEqual(["EPERM", "passed"]);
  for (const number of [0, 63, 129, 255]) {
    expect(enforcement.count(number)).toEqual({ matched: 1n, denied: 1n });
  }
  must(enforcement.rules.setEnforcing([...enforcement.rules.active()], false));
  expect(connect(toPort(80))).toEqual(["passed"]);
});
