// SPDX-License-Identifier: Apache-2.0
// What the actions of a selector do with the process, its call, and the event.

import { err, ok, type Result } from "@rthooks/result";
import type { Action } from "../schema/action.ts";
import type { KernelRule, RuleEffect } from "./kernel-rule.ts";
import type { MissingCapability } from "./policy-rule.ts";
import { parseRateLimit } from "./rate-limit.ts";

export interface RuleAction extends Pick<KernelRule, "effects" | "posts" | "rateLimit"> {
  /** The effects are those of spec.enforcers, on its calls. The field says which action asks for them. */
  readonly enforcer: string | undefined;
  readonly notes: readonly string[];
}

type One = Partial<RuleAction>;

const SIGKILL = 9;
const maxSignal = 64;
const maxErrno = 4095;

/** All actions of a selector are taken. */
export function toRuleAction(actions: readonly Action[]): Result<RuleAction, MissingCapability> {
  const effects = new Map<string, RuleEffect>();
  const notes = new Set<string>();
  let whole: RuleAction = { effects: [], posts: true, rateLimit: undefined, enforcer: undefined, notes: [] };
  for (const [at, action] of actions.entries()) {
    const one = toOne(action, `matchActions[${at}]`);
    if (!one.ok) return err({ ...one.error, field: `matchActions[${at}].${one.error.field}` });
    whole = { ...whole, ...one.value };
    for (const effect of one.value.effects ?? []) effects.set(JSON.stringify(effect), effect);
    for (const note of one.value.notes ?? []) notes.add(note);
  }
  return ok({ ...whole, effects: [...effects.values()], notes: [...notes] });
}

function toOne(action: Action, path: string): Result<One, MissingCapability> {
  switch (action.action) {
    case "Post":
      return ok({
        rateLimit: parseRateLimit(action.rateLimit, action.rateLimitScope),
        notes: listLeftOut(action),
      });
    case "NoPost":
      return ok({ posts: false });
    case "Sigkill":
      return ok({ effects: [{ kind: "kill" }] });
    case "Signal":
      return toSignals(action.argSig ?? 0);
    case "Override":
      return toOverrides(action.argError ?? 0);
    case "NotifyEnforcer":
      return toEnforcer(action, path);
    default:
      return err({ field: "action", needs: `the action ${action.action} in the programs` });
  }
}

const listLeftOut = ({ kernelStackTrace, userStackTrace, imaHash }: Action): readonly string[] => [
  ...(kernelStackTrace || userStackTrace ? ["events do not have stack traces"] : []),
  ...(imaHash ? ["events do not have hashes of IMA"] : []),
];

function toSignals(number: number): Result<Pick<RuleAction, "effects">, MissingCapability> {
  if (number < 1 || number > maxSignal)
    return err({ field: "argSig", needs: `the number of a signal from 1 to ${maxSignal}` });
  return ok({ effects: [number === SIGKILL ? { kind: "kill" } : { kind: "signal", number }] });
}

/** The reference's examples write the error with and without a minus. */
function toOverrides(argError: number): Result<Pick<RuleAction, "effects">, MissingCapability> {
  const errno = Math.abs(argError);
  if (errno < 1 || errno > maxErrno)
    return err({ field: "argError", needs: `the number of an error from -${maxErrno} to -1` });
  return ok({ effects: [{ kind: "override", errno }] });
}

/** With a signal that ends the process the error does not matter. */
function toEnforcer({ argSig = 0, argError = 0 }: Action, path: string): Result<One, MissingCapability> {
  if (argSig !== 0) {
    const signals = toSignals(argSig);
    if (!signals.ok) return signals;
    if (argError === 0) return ok({ ...signals.value, enforcer: path });
    if (argSig !== SIGKILL) return err({ field: "argError", needs: "a program that denies system calls" });
    return ok({
      ...signals.value,
      enforcer: path,
      notes: ["the process is killed; its call does not get argError"],
    });
  }
  const overrides = toOverrides(argError);
  return overrides.ok ? ok({ ...overrides.value, enforcer: path }) : overrides;
}
