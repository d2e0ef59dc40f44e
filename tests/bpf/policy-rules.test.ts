// SPDX-License-Identifier: Apache-2.0
// The rules that a tracing policy becomes, in force on this kernel for a real process in a real cgroup.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { openProgramSet, openRuleMaps, type ProgramSet, type RuleMaps } from "@rthooks/bpf";
import { embeddedPrograms } from "@rthooks/bpf/embedded-programs";
import { parseTracingPolicy, type SubjectOutcome, toKernelRules } from "@rthooks/policy";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { findCgroupDirectory, readCgroupId, removeCgroup } from "../harness/cgroup.ts";
import { runInCgroup } from "../harness/enter-cgroup.ts";
import { createWorkspace } from "../harness/workspace.ts";

const workspace = createWorkspace("policy-rules");
const container = `/rthooks-${workspace.tag}`;
let programs: ProgramSet;
let rules: RuleMaps;

const must = <T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown },
): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};

beforeAll(() => {
  const root = findCgroupDirectory("/");
  mkdirSync(root + container);
  workspace.onClose(() => removeCgroup(container));
  const directory = join(mountBpfFs(workspace), "enforcement");
  programs = must(openProgramSet({ object: embeddedPrograms(), directory, cgroupRoot: root }));
  workspace.onClose(() => {
    for (const name of must(programs.attached())) programs.detach(name);
    programs.close();
  });
  for (const name of ["kill_exec", "connect_ipv4", "connect_ipv6"]) must(programs.attach(name));
  rules = must(openRuleMaps(programs));
  must(rules.putContainer(readCgroupId(container), 1, new Set()));
});
afterAll(() => workspace.close(), 60_000);

/** Brings the rules of a policy with this kprobe into force, in place of those before. */
function enforce(kprobe: object): void {
  for (const rule of rules.active()) must(rules.remove(rule));
  const outcomes: readonly SubjectOutcome[] = toKernelRules(
    must(
      parseTracingPolicy({
        ...{ apiVersion: "cilium.io/v1alpha1", kind: "TracingPolicy", metadata: { name: "a" } },
        spec: { kprobes: [{ ...kprobe, syscall: false }] },
      }),
    ),
  );
  for (const [number, outcome] of outcomes.entries()) {
    if (outcome.kind !== "rule") throw new Error(JSON.stringify(outcome));
    const { subject, action } = outcome.rule;
    const rule = { ...subject, denies: action.effects.length > 0 };
    must(rules.put(number, rule, new Set([readCgroupId(container)])));
  }
}

const select = (operator: string, value: string, action: string) => ({
  matchArgs: [{ operator, values: [value] }],
  matchActions: [{ action }],
});

test("an execution that an earlier selector matches passes, all others are killed", () => {
  const busybox = realpathSync("/bin/busybox");
  const other = workspace.path("other");
  copyFileSync(busybox, other);
  enforce({
    ...{ call: "security_bprm_check", args: [{ index: 0, type: "linux_binprm" }] },
    selectors: [select("Equal", busybox, "NoPost"), select("Prefix", "/", "Sigkill")],
  });
  const run = (path: string): string => runInCgroup(container, [path, "true"]).signal;
  expect([run(busybox), run(other)]).toEqual(["", "SIGKILL"]);
  expect([must(rules.counts(0)), must(rules.counts(1))]).toEqual([
    { matched: 1n, denied: 0n },
    { matched: 1n, denied: 1n },
  ]);
});

test("a connection to an address of the policy is prevented, one beside it is not", () => {
  enforce({
    ...{ call: "tcp_connect", args: [{ index: 0, type: "sock" }] },
    selectors: [select("DAddr", "127.0.0.2/31", "Sigkill")],
  });
  const script = join(import.meta.dir, "connect.py");
  const words = ["127.0.0.3", "127.0.0.4", "::ffff:127.0.0.2"].flatMap((address) => ["tcp", address, "9"]);
  const { stdout } = runInCgroup(container, ["python3", script, ...words]);
  expect(stdout.trim().split("\n")).toEqual(["EPERM", "passed", "EPERM"]);
});
