// SPDX-License-Identifier: Apache-2.0
// What the programs tell of the rules that match, and how often.
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { type EventReader, type MatchRecord, openEventReader } from "@rthooks/bpf";
import type { KernelRule } from "@rthooks/policy";
import { must } from "@rthooks/result/must";
import { readCgroupId } from "../harness/cgroup.ts";
import { runInCgroup } from "../harness/enter-cgroup.ts";
import { connectRule, execRule } from "../harness/kernel-rules.ts";
import { findTool } from "../harness/programs.ts";
import { createWorkspace } from "../harness/workspace.ts";
import { type Enforcement, openEnforcement } from "./open-enforcement.ts";

const workspace = createWorkspace("match-records");
const bin = workspace.path("bin");
const tool = join(bin, "tool");
let enforcement: Enforcement;
let reader: EventReader;
beforeAll(() => {
  enforcement = openEnforcement(workspace);
  reader = must(openEventReader(join(workspace.path("bpf"), "enforcement")));
  workspace.onClose(() => reader.close());
  mkdirSync(bin);
  copyFileSync("/bin/busybox", tool);
});
afterAll(() => workspace.close(), 60_000);
beforeEach(() => {
  enforcement.removeAll();
  readMatches();
});

function readMatches(): readonly MatchRecord[] {
  const matches: MatchRecord[] = [];
  const { unreadable } = reader.read((record) => record.kind === "match" && matches.push(record), 100_000);
  expect(unreadable).toBe(0);
  return matches;
}
const connect = (port: number, times = 1): string => {
  const script = join(import.meta.dir, "connect.py");
  const calls = Array.from({ length: times }, () => ["tcp", "127.0.0.2", String(port)]).flat();
  return runInCgroup(enforcement.container, [realpathSync(findTool("python3")), script, ...calls]).stdout;
};
const toTool = (change: Partial<KernelRule> = {}): KernelRule =>
  execRule({ texts: [{ facet: "arg0", match: "exact", values: [tool], isNegated: false }] }, change);
const toPort = (port: bigint, change: Partial<KernelRule> = {}): KernelRule =>
  connectRule({ numbers: [{ facet: "destinationPort", values: [port], isNegated: false }] }, change);

test("an execution that is stopped", () => {
  enforcement.put(200, toTool());
  expect(runInCgroup(enforcement.container, [tool]).signal).toBe("SIGKILL");
  const [match, ...others] = readMatches();
  expect(others).toEqual([]);
  expect(match).toMatchObject({
    ...{
      kind: "match",
      hook: 1,
      isDenied: false,
      isSignalled: true,
      container: readCgroupId(enforcement.container),
    },
    ...{ rules: new Set([200]), enforced: new Set([200]), texts: { arg0: tool }, uid: 0 },
  });
  expect(match?.pid).toBeGreaterThan(0);
  expect(match?.parentPid).toBe(process.pid);
});

test("a connection that is denied, and one that is not", () => {
  enforcement.put(3, toPort(80n));
  enforcement.put(4, toPort(80n, { effects: [] }));
  connect(80);
  connect(81);
  const [match, ...others] = readMatches();
  expect(others).toEqual([]);
  expect(match).toMatchObject({
    ...{ hook: 2, isDenied: true, isSignalled: false, rules: new Set([3, 4]), enforced: new Set([3]) },
    numbers: { destinationPort: 80n, protocol: 6n, family: 2n, socketType: 1n },
    addresses: { destination: "127.0.0.2" },
  });
});

test("in monitor mode nothing is done, and what would be is counted", () => {
  enforcement.put(3, toPort(80n), { enforces: false });
  enforcement.put(5, toTool({ effects: [{ kind: "kill" }] }), { enforces: false });
  expect(connect(80)).toBe("passed\n");
  expect(runInCgroup(enforcement.container, [tool]).signal).toBe("");
  expect(
    readMatches().map(({ isDenied, isSignalled, rules, enforced }) => [
      isDenied,
      isSignalled,
      rules,
      enforced,
    ]),
  ).toEqual([
    [false, false, new Set([3]), new Set()],
    [false, false, new Set([5]), new Set()],
  ]);
  const none = { signal: 0n, override: 0n, nopost: 0n, post: 1n };
  expect(must(enforcement.rules.counts(3))).toEqual({ ...none, monitorOverride: 1n, monitorSignal: 0n });
  expect(must(enforcement.rules.counts(5))).toEqual({ ...none, monitorOverride: 0n, monitorSignal: 1n });
});

test("a rule that does not post is carried out and counted", () => {
  enforcement.put(3, toPort(80n, { posts: false }));
  expect(connect(80)).toBe("EPERM\n");
  expect(readMatches()).toEqual([]);
  expect(must(enforcement.rules.counts(3))).toMatchObject({ post: 0n, nopost: 1n, override: 1n });
});

test.each([
  { scope: "process", own: 1, other: 1 },
  { scope: "thread", own: 1, other: 1 },
  { scope: "global", own: 1, other: 0 },
] as const)("a limit of the rate holds for each $scope", ({ scope, own, other }) => {
  enforcement.put(3, toPort(80n, { rateLimit: { seconds: 3_600, scope } }));
  expect(connect(80, 5)).toBe("EPERM\n".repeat(5));
  expect(readMatches()).toHaveLength(own);
  connect(80, 5);
  expect(readMatches()).toHaveLength(other);
  const { post, nopost, override } = must(enforcement.rules.counts(3));
  expect([post, nopost, override]).toEqual([BigInt(own + other), 10n - BigInt(own + other), 10n]);
  // Another rule with that number has a limit of its own.
  enforcement.remove(3);
  enforcement.put(3, toPort(80n, { rateLimit: { seconds: 3_600, scope } }));
  connect(80);
  expect(readMatches()).toHaveLength(1);
});

test("where there is no room the record is lost and counted, and the rule holds", () => {
  enforcement.put(3, toPort(80n));
  const before = must(reader.countLost()).get("match") ?? 0n;
  const script = `import socket
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
for _ in range(60000):
    try:
        s.connect(("127.0.0.2", 80))
    except PermissionError:
        continue
    print("through")`;
  const { stdout, stderr } = runInCgroup(enforcement.container, [
    realpathSync(findTool("python3")),
    "-c",
    script,
  ]);
  expect([stdout, stderr]).toEqual(["", ""]);
  const lost = (must(reader.countLost()).get("match") ?? 0n) - before;
  expect(lost).toBeGreaterThan(0n);
  expect(BigInt(readMatches().length) + lost).toBe(60_000n);
  expect(must(enforcement.rules.counts(3))).toMatchObject({ override: 60_000n });
});
