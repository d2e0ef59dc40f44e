// SPDX-License-Identifier: Apache-2.0
// Hooks by their numbers. Those that policies make up, a function or a tracepoint with what is read of it, get a number
// when they are first attached, and their text is kept in a map for the next agent.

import type { HookArgument, HookPoint } from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";
import { lsmHooks } from "./lsm-hooks.ts";

/** Of bpf/rules.h. */
const fixedIds = { exec: 1, connect: 2, bind: 3 } as const; // const: keys are a union
const FIRST_DYNAMIC_HOOK = 256;
/** Of the value of the map `hook_points`, with a terminating zero. */
export const HOOK_POINT_BYTES = 1024;
/** Each is a program of its own in the kernel, of some 30 kB. */
const MAX_DYNAMIC_HOOKS = 512;

export type DynamicHook = Extract<HookPoint, { kind: "function" | "tracepoint" }>;

/** Undefined for a dynamic hook; the error says that the LSM hook is unknown. */
export function findFixedId(hook: HookPoint): Result<number | undefined, string> {
  if (hook.kind === "function" || hook.kind === "tracepoint") return ok(undefined);
  if (hook.kind !== "lsm") return ok(fixedIds[hook.kind]);
  const id = lsmHooks.get(hook.hook)?.id;
  return id === undefined ? err("no program reads the arguments of this LSM hook") : ok(id);
}

/** The hook with a number that never changes; undefined for others. */
export function findFixedHook(id: number): HookPoint | undefined {
  const kind = (["exec", "connect", "bind"] as const).find((one) => fixedIds[one] === id); // const: kinds
  if (kind !== undefined) return { kind };
  const lsm = [...lsmHooks.values()].find((one) => one.id === id);
  return lsm && { kind: "lsm", hook: lsm.name };
}

/** The lowest number that no hook has. The error is one line. */
export function findFreeId(taken: { has(id: number): boolean }): Result<number, string> {
  for (let id = FIRST_DYNAMIC_HOOK; id < FIRST_DYNAMIC_HOOK + MAX_DYNAMIC_HOOKS; id++) {
    if (!taken.has(id)) return ok(id);
  }
  return err(`${MAX_DYNAMIC_HOOKS} functions and tracepoints are attached already, which is the limit`);
}

/** Equal for equal hooks. Short, for it must fit into the map's value. */
export function renderDynamicHook(hook: DynamicHook): string {
  const args = hook.args.map(({ index, reading, sizeIndex }) =>
    sizeIndex === undefined ? [index, reading] : [index, reading, sizeIndex],
  );
  const place = hook.kind === "function" ? [hook.name] : [hook.subsystem, hook.event];
  return JSON.stringify([hook.kind, ...place, args]);
}

/** What `renderDynamicHook` has written; undefined for other text. */
export function parseDynamicHook(text: string): DynamicHook | undefined {
  try {
    // Only agents write the map: what follows is checked as far as another version of the agent may differ.
    const [kind, ...rest] = JSON.parse(text) as readonly unknown[];
    const args = rest.pop();
    const [first, second] = rest;
    if (!Array.isArray(args) || typeof first !== "string") return undefined;
    if (kind === "function") return { kind, name: first, args: args.map(toArgument) };
    if (kind !== "tracepoint" || typeof second !== "string") return undefined;
    return { kind, subsystem: first, event: second, args: args.map(toArgument) };
  } catch {
    return undefined;
  }
}

/** Of an array that `renderDynamicHook` has written. */
function toArgument(written: readonly [number, HookArgument["reading"], number?]): HookArgument {
  const [index, reading, sizeIndex] = written;
  return sizeIndex === undefined ? { index, reading } : { index, reading, sizeIndex };
}

/** "the LSM hook file_open" */
export function describeHook(hook: HookPoint): string {
  switch (hook.kind) {
    case "exec":
      return "executions";
    case "connect":
      return "connections";
    case "bind":
      return "bind(2)";
    case "lsm":
      return `the LSM hook ${hook.hook}`;
    case "function":
      return `the kernel function ${hook.name}`;
    case "tracepoint":
      return `the tracepoint ${hook.subsystem}/${hook.event}`;
  }
}
