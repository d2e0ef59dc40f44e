// SPDX-License-Identifier: Apache-2.0
// From a hook of a policy to its place in the kernel.

import { err, ok } from "@rthooks/result";
import type { TracingPolicySpec } from "../schema/policy-spec.ts";
import type { hookKinds } from "../schema/references.ts";
import { findCallTarget } from "./call-target.ts";
import { findExecTarget } from "./exec-target.ts";
import { type FoundTarget, noteCalls, plainTarget, type TargetContext } from "./hook-target.ts";
import { findLsmTarget } from "./lsm-target.ts";
import { fieldsOf, placeArguments } from "./place-arguments.ts";

export type HookKind = (typeof hookKinds)[number];
export type PolicyHook = TracingPolicySpec[HookKind][number];

export function findHookTarget(kind: HookKind, hook: PolicyHook, context: TargetContext): FoundTarget {
  if ("event" in hook) return findTracepointTarget(hook, context);
  if ("hook" in hook) return findLsmTarget(hook.hook, hook, { event: "lsm", hook: hook.hook });
  if (!("call" in hook)) return err({ field: "path", needs: `programs for ${kind}` });
  if (hook.returnArgAction !== undefined)
    return err({ field: "returnArgAction", needs: "programs that follow sockets" });
  return findCallTarget(hook, context);
}

function findTracepointTarget(
  hook: Extract<PolicyHook, { event: string }>,
  { architecture }: TargetContext,
): FoundTarget {
  const { subsystem, event, raw, args } = hook;
  const name = `${subsystem}/${event}`;
  const report = { event: "tracepoint", hook: name } as const; // const: a message
  const exec = findExecTarget(`${raw ? "raw " : ""}${name}`, args, report);
  if (exec !== undefined) return ok(exec);
  if (raw) return err({ field: "raw", needs: "programs on raw tracepoints" });
  const placed = placeArguments(args, fieldsOf(subsystem));
  return ok({
    ...plainTarget,
    hooks: [{ kind: "tracepoint", subsystem, event, args: placed.args }],
    places: placed.places,
    report,
    notes: subsystem === "syscalls" && /^sys_enter_/.test(event) ? noteCalls(architecture) : [],
  });
}
