// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "bun:test";
import { err, ok } from "@rthooks/result";
import { chooseMechanism, type Mechanism, type SubjectCapabilities } from "./choose-mechanism.ts";
import type { SubjectEffect } from "./subject-rule.ts";

const no = err("not here");
const node = (...able: readonly string[]): SubjectCapabilities => {
  const has = (name: string) => (able.includes(name) ? ok(undefined) : no);
  return {
    exec: { lsm: has("lsm"), rawTracepoint: has("raw") },
    connect: { lsm: has("lsm"), cgroupProgram: has("cgroup"), kprobe: has("kprobe") },
  };
};
const everything = node("lsm", "raw", "cgroup", "kprobe");

const kill: SubjectEffect = { kind: "kill" };
const override: SubjectEffect = { kind: "override" };
const term: SubjectEffect = { kind: "signal", number: 15 };
const choose = (
  kind: "exec" | "connect",
  effects: readonly SubjectEffect[],
  capabilities: SubjectCapabilities,
) =>
  chooseMechanism(
    { subject: { kind }, action: { effects, posts: true, rateLimit: undefined } },
    capabilities,
  );

describe("the strongest program of the node holds the rule", () => {
  const rows: readonly (readonly [
    "exec" | "connect",
    readonly SubjectEffect[],
    SubjectCapabilities,
    Mechanism,
  ])[] = [
    ["exec", [kill], everything, "prevented by lsm"],
    ["exec", [override], everything, "prevented by lsm"],
    ["exec", [kill], node("raw", "cgroup", "kprobe"), "killed before its first instruction"],
    ["exec", [override], node("raw"), "killed before its first instruction"],
    ["exec", [kill, override], node("raw"), "killed before its first instruction"],
    ["exec", [], node("raw"), "counted"],
    ["connect", [kill], everything, "prevented by lsm"],
    ["connect", [override], node("cgroup", "kprobe", "raw"), "prevented by cgroup program"],
    ["connect", [kill], node("cgroup"), "prevented by cgroup program"],
    ["connect", [kill], node("kprobe"), "signalled: the call completes"],
    ["connect", [term], everything, "signalled: the call completes"],
    ["connect", [], node("kprobe"), "counted"],
  ];
  test.each(rows)("%s %j", (kind, effects, capabilities, expected) => {
    expect(choose(kind, effects, capabilities)).toEqual(ok(expected));
  });
});

describe("what is missing is named", () => {
  const needs: readonly (readonly [
    "exec" | "connect",
    readonly SubjectEffect[],
    SubjectCapabilities,
    string,
  ])[] = [
    ["exec", [kill], node("cgroup", "kprobe"), "needs BPF LSM (not here), or a raw tracepoint (not here)"],
    ["exec", [], node(), "needs BPF LSM (not here), or a raw tracepoint (not here)"],
    ["exec", [term], everything, "needs a program that carries out signal 15 at an execution"],
    ["connect", [override], node("kprobe"), "needs BPF LSM (not here), or a cgroup program (not here)"],
    [
      "connect",
      [kill],
      node("raw"),
      "needs BPF LSM (not here), or a cgroup program (not here), or a kprobe (not here)",
    ],
    ["connect", [term], node("lsm", "cgroup"), "needs a kprobe (not here)"],
    [
      "connect",
      [term, override],
      everything,
      "needs a program that carries out signal 15 and override at a connection",
    ],
  ];
  test.each(needs)("%s %j", (kind, effects, capabilities, expected) => {
    expect(choose(kind, effects, capabilities)).toEqual(err(expected));
  });
});
