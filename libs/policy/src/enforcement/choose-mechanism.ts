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

type JudgedRule = Pick<PolicyRule, "rule" | "fallbacks">;

/**
 * `group`: all rules of the same hook. They are judged together, by the same programs, or an earlier selector would not be
 * seen where a later one matches. The error is one line with what is missing.
 */
export function chooseMechanism(
  { rule, fallbacks }: JudgedRule,
  capabilities: NodeCapabilities,
  group: readonly JudgedRule[] = [],
): Result<ChosenMechanism, string> {
  const chosen: MechanismStep[] = [];
  for (const [at, hook] of rule.hooks.entries()) {
    const steps = group.reduce(
      (left, { rule: other }) => keepCommon(left, listSteps(hook, fallbacks[at], other, capabilities), other),
      listSteps(hook, fallbacks[at], rule, capabilities),
    );
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

/** The steps, in the same order, that carry out the other rule too. */
const keepCommon = (
  steps: readonly MechanismStep[],
  others: readonly MechanismStep[],
  { effects }: PolicyRule["rule"],
): readonly MechanismStep[] =>
  steps.map((step) => {
    const other = others.find(({ name }) => name === step.name);
    if (other === undefined || !step.ability.ok) return step;
    const lacks = effects.some(({ kind }) => !other.effects.includes(kind));
    return lacks
      ? { ...step, ability: err("it does not carry out another selector of the hook") }
      : { ...step, ability: other.ability };
  });

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
