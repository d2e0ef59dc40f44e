// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "bun:test";
import type { MatchRecord } from "@rthooks/bpf";
import type { RuleEffect, RuleReport } from "@rthooks/policy";
import type { EventContainer, ProcessFacts } from "./agent-event.ts";
import { toMatchEvents } from "./to-match-events.ts";

const container: EventContainer = {
  ...{
    cgroupId: 7n,
    id: "c1",
    runtime: "",
    name: "app",
    image: "busybox",
    imageId: "sha256:1",
    startTimeMs: 1,
    pid: 2,
  },
  ...{ podName: "web-1", podUid: "u1", namespace: "shop", labels: new Map([["app", "web"]]) },
  ...{ workload: "web", workloadKind: "Deployment" },
};
const subject: ProcessFacts = {
  ...{ pid: 10, tid: 11, startTimeNs: 1n, uid: 0, auid: undefined, namespacePid: 2, binary: "/bin/ls" },
  ...{ arguments: "-l", cwd: "/", flags: ["execve"], execId: "e", parentExecId: "p", refcnt: 1, container },
  inInitTree: true,
};
const record: MatchRecord = {
  ...{ kind: "match", time: 1n, container: 7n, startTime: 1n, pid: 10, tid: 11, uid: 0, parentPid: 1 },
  ...{ parentStartTime: 1n, hook: 300, isDenied: false, isSignalled: false },
  ...{ rules: new Set([4, 200]), enforced: new Set(), addresses: { destination: "10.0.0.1" } },
  ...{ numbers: { arg0: 3n }, texts: { arg1: "/etc" }, bytes: {} },
};
const report = (policyName: string): RuleReport => ({
  ...{ policyName, policyNamespace: "", event: "kprobe", hook: "tcp_connect", hookIndex: 0 },
  ...{ selectorIndex: 0, selectorLabel: "", message: "", tags: [], args: [] },
});
const convert = (of: Partial<MatchRecord>, effects: readonly RuleEffect[] = []) =>
  toMatchEvents({ ...record, ...of }, 9n, { process: subject, parent: undefined }, (number) =>
    number === 4 || number === 200
      ? { report: report(`p${number}`), hookNames: new Map([[301, "__x64_sys_dup"]]), effects }
      : undefined,
  );

test("a match is one event for each rule, with what is known", () => {
  expect(convert({ rules: new Set([4, 9, 200]) })).toEqual(
    ["p4", "p200"].map((name) => ({
      ...{
        kind: "match",
        timeNs: 9n,
        process: subject,
        parent: undefined,
        report: report(name),
        hook: "tcp_connect",
        action: "post",
      },
      facts: {
        numbers: { arg0: 3n },
        texts: { arg1: "/etc" },
        bytes: {},
        addresses: { destination: "10.0.0.1" },
      },
    })),
  );
});

const kill: RuleEffect = { kind: "kill" };
const signal: RuleEffect = { kind: "signal", number: 10 };
const override: RuleEffect = { kind: "override", errno: 1 };
test.each([
  { effects: [kill], isSignalled: true, isDenied: false, action: "kill" },
  { effects: [signal], isSignalled: true, isDenied: false, action: "signal" },
  { effects: [override], isSignalled: false, isDenied: true, action: "override" },
  { effects: [override, kill], isSignalled: true, isDenied: true, action: "kill" },
  { effects: [kill], isSignalled: false, isDenied: true, action: "override" },
  { effects: [override], isSignalled: true, isDenied: false, action: "kill" },
  { effects: [override, signal], isSignalled: true, isDenied: true, action: "override" },
  { effects: [signal], isSignalled: false, isDenied: true, action: "post" },
  { effects: [], isSignalled: true, isDenied: true, action: "post" },
])("the action of effects $# is what was done: $action", ({ effects, action, isSignalled, isDenied }) => {
  const done = { isSignalled, isDenied, enforced: new Set([4]) };
  expect(convert(done, effects)).toMatchObject([{ action }, { action: "post" }]);
});

test("an event of a rule about several calls names the call", () => {
  const names = (hook: number) =>
    convert({ hook }).map((event) => (event.kind === "match" ? event.hook : event.kind));
  expect(names(301)).toEqual(["__x64_sys_dup", "__x64_sys_dup"]);
  expect(names(300)).toEqual(["tcp_connect", "tcp_connect"]);
});
