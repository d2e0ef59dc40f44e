// SPDX-License-Identifier: Apache-2.0
// The programs that can carry out a rule at one place of the kernel, strongest first.

import type { Result } from "@rthooks/result";
import { judgeCgroup, judgeFunction, judgeLsm, judgeRawExec, judgeSocketLsm } from "./judge-programs.ts";
import type { HookPoint, KernelRule, RuleEffect } from "./kernel-rule.ts";
import { findLsmOfSyscall } from "./lsm-of-syscall.ts";
import type { NodeCapabilities } from "./node-capabilities.ts";

/** What holds a rule, strongest first; the words of lists and metrics. */
export const mechanisms = [
  "prevented by lsm",
  "prevented by cgroup program",
  "killed before its first instruction",
  "signalled: the call completes",
  /** The rule has no effect but to count and to post. */
  "counted",
] as const; // const: each is a type

export type Mechanism = (typeof mechanisms)[number];

export interface MechanismStep {
  /** "BPF LSM" */
  readonly name: string;
  readonly ability: Result<void, string>;
  readonly effects: readonly RuleEffect["kind"][];
  /** Of a rule with one of these effects that denies or kills. */
  readonly mechanism: Mechanism;
  /** To attach. */
  readonly hook: HookPoint;
  /** What it does otherwise than the policy says, if it has the effect. */
  readonly note?: { readonly of: RuleEffect["kind"]; readonly text: string };
}

const all = ["kill", "override", "signal"] as const; // const: kinds of effects
const denials = ["kill", "override"] as const; // const: as above
const signals = ["kill", "signal"] as const; // const: as above
const signalled = "signalled: the call completes";

export function listSteps(
  hook: HookPoint,
  fallback: HookPoint | undefined,
  rule: KernelRule,
  capabilities: NodeCapabilities,
): readonly MechanismStep[] {
  const lsm = { name: "BPF LSM", effects: all, mechanism: "prevented by lsm" } as const; // const: a mechanism
  const kprobe: Omit<MechanismStep, "hook"> = {
    ...{ name: "a kprobe", ability: capabilities.kprobe, effects: signals, mechanism: signalled },
  };
  switch (hook.kind) {
    case "exec":
      return [
        { ...lsm, ability: capabilities.lsm, hook },
        {
          ...{ name: "a raw tracepoint", ability: judgeRawExec(rule, capabilities), effects: all, hook },
          mechanism: "killed before its first instruction",
          note: { of: "override", text: "the process is killed: the call does not return an error" },
        },
      ];
    case "connect":
    case "bind": {
      const cgroup: MechanismStep = {
        ...{ name: "a cgroup program", effects: denials, hook },
        ability: judgeCgroup(hook.kind, rule, capabilities),
        mechanism: "prevented by cgroup program",
        note: { of: "kill", text: "the call fails: the process is not killed" },
      };
      const preventing = [{ ...lsm, ability: judgeSocketLsm(hook.kind, capabilities), hook }, cgroup];
      if (fallback === undefined) return preventing;
      const ability = judgeFunction(fallback, rule, capabilities);
      return [...preventing, { ...kprobe, ability, hook: fallback }];
    }
    case "lsm": {
      const own = { ...lsm, ability: judgeLsm(hook.hook, rule, capabilities), hook };
      return fallback === undefined ? [own] : [own, { ...kprobe, hook: fallback }];
    }
    case "function":
      return [{ ...kprobe, hook }];
    case "tracepoint":
      return [
        {
          name: isCall(hook) ? "a raw tracepoint" : "a tracepoint",
          ability: isCall(hook) ? capabilities.rawTracepoint : capabilities.tracepoint,
          effects: signals,
          mechanism: signalled,
          hook,
        },
      ];
    default:
      return hook satisfies never;
  }
}

/** One program on raw_tracepoint/sys_enter serves all system calls. */
const isCall = ({ subsystem, event }: Extract<HookPoint, { kind: "tracepoint" }>): boolean =>
  subsystem === "syscalls" && event.startsWith("sys_enter_");

/** For a place where no program has the effects of the rule. */
export function describeEvent(hook: HookPoint): string {
  switch (hook.kind) {
    case "exec":
      return "an execution";
    case "connect":
      return "a connection";
    case "bind":
      return "a call of bind";
    case "lsm":
      return `the LSM hook ${hook.hook}`;
    case "function":
      return `the kernel function ${hook.name}`;
    default: {
      const lsm = hook.subsystem === "syscalls" ? findLsmOfSyscall(hook.event) : undefined;
      const instead = lsm === undefined ? "" : `, or the LSM hook ${lsm} in the policy`;
      return `the tracepoint ${hook.subsystem}/${hook.event}${instead}`;
    }
  }
}
