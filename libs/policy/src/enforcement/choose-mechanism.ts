// SPDX-License-Identifier: Apache-2.0
// Which of a node's programs carries out a rule: the strongest that can.

import { err, ok, type Result } from "@rthooks/result";
import type { HookPoint, RuleEffect } from "./kernel-rule.ts";
import {
  describeEvent,
  listSteps,
  type Mechanism,
  type MechanismStep,
  mechanisms,
} from "./mechanism-steps.ts";
import type { NodeCapabilities } from "./node-capabilities.ts";
import type { PolicyRule } from "./policy-rule.ts";

export interface ChosenMechanism {
  /** Of several hooks the weakest. */
  readonly mechanism: Mechanism;
  /** In place of those of the rule: what to attach. */
  readonly hooks: readonly HookPoint[];
  /** Where that is less than the policy says; sentences. */
  readonly notes: readonly string[];
}

/** The error is one line with what is missing. */
export function chooseMechanism(
  { rule, fallbacks }: Pick<PolicyRule, "rule" | "fallbacks">,
  capabilities: NodeCapabilities,
): Result<ChosenMechanism, string> {
  const chosen: MechanismStep[] = [];
  for (const [at, hook] of rule.hooks.entries()) {
    const steps = listSteps(hook, fallbacks[at], rule, capabilities);
    const step = chooseStep(steps, rule.effects, hook);
    if (!step.ok) return step;
    chosen.push(step.value);
  }
  const notes = chosen.flatMap(({ note }) =>
    rule.effects.some(({ kind }) => kind === note?.of) && note !== undefined ? [note.text] : [],
  );
  return ok({
    mechanism: findWeakest(chosen.map((step) => toMechanism(step, rule.effects))),
    hooks: chosen.map(({ hook }) => hook),
    notes: [...new Set(notes)],
  });
}

function chooseStep(
  steps: readonly MechanismStep[],
  effects: readonly RuleEffect[],
  hook: HookPoint,
): Result<MechanismStep, string> {
  const able = steps.filter((step) => effects.every(({ kind }) => step.effects.includes(kind)));
  const step = able.find(({ ability }) => ability.ok);
  if (step !== undefined) return ok(step);
  if (able.length > 0) return err(`needs ${able.map(describeStep).join(", or ")}`);
  return err(
    `needs a program that carries out ${effects.map(describeEffect).join(" and ")} at ${describeEvent(hook)}`,
  );
}

function toMechanism({ mechanism }: MechanismStep, effects: readonly RuleEffect[]): Mechanism {
  if (effects.length === 0) return "counted";
  return effects.some(({ kind }) => kind !== "signal") ? mechanism : "signalled: the call completes";
}

const findWeakest = (found: readonly Mechanism[]): Mechanism =>
  mechanisms.findLast((mechanism) => found.includes(mechanism)) ?? "counted";

const describeEffect = (effect: RuleEffect): string =>
  effect.kind === "signal" ? `signal ${effect.number}` : effect.kind;

const describeStep = ({ name, ability }: MechanismStep): string =>
  ability.ok ? name : `${name} (${ability.error})`;

/** What holds a policy, by what holds its rules: one text, strongest first. */
export function describeMechanisms(found: readonly Mechanism[]): string {
  const holding = mechanisms.filter((mechanism) => found.includes(mechanism));
  const enforcing = holding.filter((mechanism) => mechanism !== "counted");
  return (enforcing.length > 0 ? enforcing : holding).join(", ");
}
