// SPDX-License-Identifier: Apache-2.0
// The rules that a tracing policy becomes, in force on this kernel for a real process in a real cgroup.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { copyFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import type { PlacedRule } from "@rthooks/bpf";
import { parseTracingPolicy, toKernelRules } from "@rthooks/policy";
import { must } from "@rthooks/result/must";
import { readCgroupId } from "../harness/cgroup.ts";
import { runInCgroup } from "../harness/enter-cgroup.ts";
import { placeRule } from "../harness/kernel-rules.ts";
import { findTool } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { type Enforcement, openEnforcement } from "./open-enforcement.ts";

const workspace = createWorkspace("policy-rules");
let enforcement: Enforcement;
beforeAll(() => {
  enforcement = openEnforcement(workspace);
});
afterAll(() => workspace.close(), 60_000);
beforeEach(() => enforcement.removeAll());

/** Brings the rules of a policy with this kprobe into force, from number 0 on. */
function enforce(kprobe: object): void {
  const policy = must(
    parseTracingPolicy({
      ...{ apiVersion: "cilium.io/v1alpha1", kind: "TracingPolicy", metadata: { name: "a" } },
      spec: { kprobes: [{ ...kprobe, syscall: false }] },
    }),
  );
  const placed = toKernelRules(policy, process.arch === "arm64" ? "arm64" : "x64").flatMap(({ outcomes }) =>
    outcomes.map((outcome, number): PlacedRule => {
      if (outcome.kind !== "rule") throw new Error(JSON.stringify(outcome));
      const containers = new Set([readCgroupId(enforcement.container)]);
      return placeRule(number, outcome.rule.rule, containers, { follows: number > 0 });
    }),
  );
  must(enforcement.rules.change(placed, []));
}

const select = (operator: string, values: readonly string[], action: string) => ({
  matchArgs: [{ operator, values }],
  matchActions: [{ action }],
});

test("an execution that an earlier selector matches passes, all others are killed", () => {
  const busybox = realpathSync("/bin/busybox");
  const other = workspace.path("other");
  copyFileSync(busybox, other);
  enforce({
    ...{ call: "security_bprm_check", args: [{ index: 0, type: "linux_binprm" }] },
    selectors: [select("Equal", [busybox], "NoPost"), select("Prefix", ["/"], "Sigkill")],
  });
  const run = (path: string): string => runInCgroup(enforcement.container, [path, "true"]).signal;
  expect([run(busybox), run(other)]).toEqual(["", "SIGKILL"]);
  expect([enforcement.count(0), enforcement.count(1)]).toEqual([
    { matched: 1n, denied: 0n },
    { matched: 1n, denied: 1n },
  ]);
});

test("a connection to an address of the policy is prevented, one beside it is not", () => {
  enforce({
    ...{ call: "tcp_connect", args: [{ index: 0, type: "sock" }] },
    selectors: [select("DAddr", ["127.0.0.2/31"], "Sigkill")],
  });
  const script = join(import.meta.dir, "connect.py");
  const calls = [
    ...["tcp 127.0.0.3 9", "tcp 127.0.0.4 9", "tcp ::ffff:127.0.0.2 9", "mptcp 127.0.0.2 9"],
    "udp 127.0.0.2 9",
  ];
  const words = calls.flatMap((call) => call.split(" "));
  const { stdout } = runInCgroup(enforcement.container, [findTool("python3"), script, ...words]);
  expect(stdout.trim().split("\n")).toEqual(["EPERM", "passed", "EPERM", "EPERM", "passed"]);
});
