// SPDX-License-Identifier: Apache-2.0
// Which of a node's programs carries out a rule: the strongest that can.

import { err, ok, type Result } from "@rthooks/result";
import type { RuleSubject, SubjectEffect, SubjectRule } from "./subject-rule.ts";

/** What holds a rule, strongest first; the words of lists and metrics. */
export type Mechanism =
  | "prevented by lsm"
  | "prevented by cgroup program"
  | "killed before its first instruction"
  | "signalled: the call completes"
  /** The rule has no effect but to count. */
  | "counted";

type Ability = Result<void, string>;

/** The programs that a node runs, by the events that they judge. The error says in one line why it does not run one. */
export interface SubjectCapabilities {
  readonly exec: { readonly lsm: Ability; readonly rawTracepoint: Ability };
  readonly connect: { readonly lsm: Ability; readonly cgroupProgram: Ability; readonly kprobe: Ability };
}

interface Step {
  readonly name: string;
  readonly ability: Ability;
  readonly mechanism: Mechanism;
  readonly effects: readonly SubjectEffect["kind"][];
}

/** The error is one line with what is missing. */
export function chooseMechanism(
  { subject, action }: Pick<SubjectRule, "action"> & { readonly subject: Pick<RuleSubject, "kind"> },
  capabilities: SubjectCapabilities,
): Result<Mechanism, string> {
  const steps = listSteps(subject.kind, capabilities);
  const able = steps.filter((step) => action.effects.every(({ kind }) => step.effects.includes(kind)));
  const step = able.find(({ ability }) => ability.ok);
  if (step !== undefined) return ok(action.effects.length === 0 ? "counted" : step.mechanism);
  if (able.length > 0) return err(`needs ${able.map(describeStep).join(", or ")}`);
  const effects = action.effects.map((effect) =>
    effect.kind === "signal" ? `signal ${effect.number}` : effect.kind,
  );
  return err(`needs a program that carries out ${effects.join(" and ")} at ${events[subject.kind]}`);
}

const events = { exec: "an execution", connect: "a connection" } as const; // const: for each kind of rule

/** Strongest first. */
function listSteps(kind: RuleSubject["kind"], { exec, connect }: SubjectCapabilities): readonly Step[] {
  const denial = ["kill", "override"] as const; // const: kinds of effects
  const lsm = { name: "BPF LSM", mechanism: "prevented by lsm", effects: denial } as const; // const: a mechanism
  if (kind === "exec") {
    return [
      { ...lsm, ability: exec.lsm },
      {
        ...{ name: "a raw tracepoint", ability: exec.rawTracepoint, effects: denial },
        mechanism: "killed before its first instruction",
      },
    ];
  }
  return [
    { ...lsm, ability: connect.lsm },
    {
      ...{ name: "a cgroup program", ability: connect.cgroupProgram, effects: denial },
      mechanism: "prevented by cgroup program",
    },
    {
      // A signal does not stop the call, so this is less than Override asks for.
      ...{ name: "a kprobe", ability: connect.kprobe, effects: ["kill", "signal"] },
      mechanism: "signalled: the call completes",
    },
  ];
}

const describeStep = ({ name, ability }: Step): string => (ability.ok ? name : `${name} (${ability.error})`);
