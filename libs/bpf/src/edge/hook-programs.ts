// SPDX-License-Identifier: Apache-2.0

import type { HookPoint, NodeCapabilities } from "@rthooks/policy";
import { err, ok, type Result } from "@rthooks/result";
import { findCallPlaces } from "../core/call-places.ts";
import { readCallArguments, readFunctionArguments, readTracepointArguments } from "../core/hook-arguments.ts";
import {
  findHookId,
  findLsmPrograms,
  type HookAttachment,
  templates,
  toDynamicAttachment,
  weakerPrograms,
} from "../core/hook-attachments.ts";
import type { ArgumentRead } from "../core/hook-constants.ts";
import {
  type DynamicHook,
  describeHook,
  findFixedHook,
  findFixedId,
  findFreeId,
} from "../core/hook-point.ts";
import { inTurn } from "../core/in-turn.ts";
import { type CallHook, type CallHooks, openCallHooks } from "./call-hooks.ts";
import { createCallPrograms } from "./call-programs.ts";
import { embeddedHookPrograms } from "./embedded-programs.ts";
import { type HookPoints, openHookPoints } from "./hook-points.ts";
import { probeNode } from "./node-capabilities.ts";
import { openProgramSet, type ProgramSet, type ProgramSetOptions } from "./program-set.ts";
import { readTracepointFields } from "./trace-fs.ts";

/** Attaches what hooks need, before their rules come into force; detaches what no rule needs, after. */
export interface HookPrograms {
  /** The hook's number. Idempotent; the strongest mechanism. The error says in one line what the kernel lacks. */
  attach(hook: HookPoint): Result<number, string>;
  /** Detaches programs of all other hooks, also those of an earlier agent. The error is one line. */
  detachUnused(used: Iterable<number>): Result<void, string>;
  /** Also by an earlier agent. A hook that this agent does not know has no hook point. */
  attached(): Result<readonly AttachedHook[], string>;
  capabilities(): NodeCapabilities;
  /** Pins again what has lost its pin: as ProgramSet.keep(). */
  keep: ProgramSet["keep"];
  /** Closes descriptors; attached programs go on. */
  close(): void;
}

export interface AttachedHook {
  readonly hookId: number;
  readonly hook: HookPoint | undefined;
}

export interface HookProgramsOptions extends Omit<ProgramSetOptions, "object"> {
  /** The object `enforce` in the same directory. */
  readonly enforce: ProgramSet;
  /** Default: what this node can do. */
  readonly capabilities?: NodeCapabilities;
}

/** The error is one line. */
export function openHookPrograms({
  enforce,
  capabilities,
  ...options
}: HookProgramsOptions): Result<HookPrograms, string> {
  const hooks = openProgramSet({ ...options, object: embeddedHookPrograms() });
  if (!hooks.ok) return hooks;
  const tables = openTables(hooks.value);
  if (tables.ok)
    return ok(
      toHookPrograms({ enforce, hooks: hooks.value }, tables.value, capabilities, options.cgroupRoot),
    );
  hooks.value.close();
  return tables;
}

interface HookTables {
  readonly points: HookPoints;
  readonly calls: CallHooks;
}

function openTables({ map }: ProgramSet): Result<HookTables, string> {
  const points = openHookPoints(map("hook_points"));
  if (!points.ok) return points;
  const maps = { hooks: map("called_hooks"), rows: map("call_rows") };
  const calls = openCallHooks(maps, listCallHooks(points.value));
  return calls.ok ? ok({ points: points.value, calls: calls.value }) : calls;
}

type ProgramSets = Readonly<Record<HookAttachment["object"], ProgramSet>>;

function toHookPrograms(
  sets: ProgramSets,
  { points, calls }: HookTables,
  given: NodeCapabilities | undefined,
  cgroupRoot: string,
): HookPrograms {
  let node = given;
  const callPrograms = createCallPrograms(sets.hooks, processor);
  const capabilities = (): NodeCapabilities => {
    node ??= probeNode(cgroupRoot);
    return node;
  };

  const attachAll = (attachments: readonly HookAttachment[]): Result<void, string> => {
    for (const { object, program, instance } of attachments) {
      const attached = sets[object].attach(program, instance);
      if (!attached.ok) return err(attached.error.reason);
    }
    return ok(undefined);
  };

  const detachAll = (attachments: readonly HookAttachment[]): Result<void, string> => {
    for (const { object, program, instance } of attachments) {
      const detached = sets[object].detach(program, instance?.name);
      if (!detached.ok) return detached;
    }
    return ok(undefined);
  };

  const attachFixed = (id: number): Result<number, string> => {
    const [strong, weak] = [findLsmPrograms(id), weakerPrograms.get(id)];
    const { lsm, lsmHooks, rawTracepoint, cgroupProgram } = capabilities();
    const missing = strong.find(({ lsmHook }) => lsmHook !== undefined && !lsmHooks.has(lsmHook))?.lsmHook;
    const isStrong = lsm.ok && missing === undefined;
    const reason = lsm.ok ? `the kernel's LSM hook ${missing} has other arguments (bpf_lsm)` : lsm.error;
    if (!isStrong) {
      if (weak === undefined) return err(reason);
      const other = id === 1 ? rawTracepoint : cgroupProgram;
      if (!other.ok) return err(`${reason}; ${other.error}`);
    }
    const attached = attachAll(isStrong ? strong : (weak ?? []));
    if (!attached.ok) return attached;
    // Only now, so that there is always one in force.
    const detached = detachAll(isStrong ? (weak ?? []) : []);
    return detached.ok ? ok(id) : detached;
  };

  const attachCall = (call: CallHook, args: readonly ArgumentRead[]): Result<void, string> => {
    const row = calls.findRow(call);
    if (!row.ok) return row;
    return inTurn(
      () => callPrograms.putRow(row.value, args),
      () => calls.put(call, row.value),
      () => callPrograms.dispatch(row.value),
      // An earlier version attached a program to the tracepoint of the call.
      () => sets.hooks.detach("hook_tracepoint", String(call.id)),
    );
  };

  const attachDynamic = (hook: DynamicHook): Result<number, string> => {
    const args = readArguments(hook, capabilities());
    if (!args.ok) return args;
    const known = points.find(hook);
    const id = known === undefined ? findFreeId(points) : ok(known);
    if (!id.ok) return id;
    // Before the program is attached: an agent that ends in between leaves a number without a program.
    const set = known === undefined ? points.set(id.value, hook) : ok(undefined);
    if (!set.ok) return set;
    const call = toCallHook(id.value, hook);
    const attached =
      call === undefined
        ? attachAll([toDynamicAttachment(id.value, hook, args.value)])
        : attachCall(call, args.value);
    if (attached.ok) return id;
    if (known === undefined) points.delete(id.value);
    return attached;
  };

  const findAttachedIds = (): Result<ReadonlySet<number>, string> => {
    const ids = new Set<number>();
    const programs = sets.enforce.attached();
    if (!programs.ok) return programs;
    for (const [id, weak] of weakerPrograms) {
      const all = [...weak, ...findLsmPrograms(id)].filter(({ object }) => object === "enforce");
      if (all.some(({ program }) => programs.value.includes(program))) ids.add(id);
    }
    for (const template of templates) {
      const instances = sets.hooks.instances(template);
      if (!instances.ok) return instances;
      for (const instance of instances.value) ids.add(findHookId(instance));
    }
    for (const id of calls.ids()) ids.add(id);
    return ok(ids);
  };

  /** Whatever is attached for the hook: also what this version of the agent would not attach. */
  const detach = (id: number): Result<void, string> => {
    for (const template of templates) {
      const instances = sets.hooks.instances(template);
      if (!instances.ok) return instances;
      for (const instance of instances.value.filter((name) => findHookId(name) === id)) {
        const detached = sets.hooks.detach(template, instance);
        if (!detached.ok) return detached;
      }
    }
    const removed = calls.remove(id);
    if (!removed.ok) return removed;
    const inEnforce = [...(weakerPrograms.get(id) ?? []), ...findLsmPrograms(id)].filter(
      ({ object }) => object === "enforce",
    );
    const detached = detachAll(inEnforce);
    return detached.ok && points.has(id) ? points.delete(id) : detached;
  };

  return {
    attach(hook) {
      const fixed = findFixedId(hook);
      const attached = !fixed.ok
        ? fixed
        : fixed.value === undefined
          ? attachDynamic(hook as DynamicHook) // all others have a number
          : attachFixed(fixed.value);
      return attached.ok ? attached : err(`${describeHook(hook)}: ${attached.error}`);
    },
    detachUnused(used) {
      const keep = new Set(used);
      const ids = findAttachedIds();
      if (!ids.ok) return ids;
      let failed: Result<void, string> = ok(undefined);
      for (const id of ids.value) {
        const detached = keep.has(id) ? ok(undefined) : detach(id);
        if (!detached.ok) failed = detached;
      }
      const retained = callPrograms.retain(calls.rows());
      return failed.ok ? retained : failed;
    },
    attached() {
      const ids = findAttachedIds();
      if (!ids.ok) return ids;
      return ok(
        [...ids.value].map((hookId) => ({ hookId, hook: findFixedHook(hookId) ?? points.get(hookId) })),
      );
    },
    capabilities,
    keep: sets.hooks.keep,
    close: () => sets.hooks.close(),
  };
}

const userMemory: readonly string[] = ["syscalls", "raw_syscalls"];

const processor = process.arch === "arm64" ? "arm64" : "x64";

/** Undefined for what is not the entry of a system call, and for a call whose number is not known here: it has its tracepoint. */
function toCallHook(id: number, hook: DynamicHook): CallHook | undefined {
  if (hook.kind !== "tracepoint" || hook.subsystem !== "syscalls" || !/^sys_enter_/.test(hook.event))
    return undefined;
  const places = findCallPlaces(hook.event.replace("sys_enter_", ""), processor);
  return places && { id, places, list: JSON.stringify(hook.args) };
}

const listCallHooks = (points: HookPoints): readonly CallHook[] =>
  [...points.ids()].flatMap((id) => {
    const hook = points.get(id);
    return (hook && toCallHook(id, hook)) ?? [];
  });

function readArguments(
  hook: DynamicHook,
  { kprobe, tracepoint, rawTracepoint }: NodeCapabilities,
): Result<readonly ArgumentRead[], string> {
  if (hook.kind === "function") {
    if (!kprobe.ok) return kprobe;
    // The kernel would take an offset in the function, too.
    if (!/^\w[\w.]{0,127}$/.test(hook.name)) return err("not the name of a function");
    return readFunctionArguments(hook.name, hook.args, processor);
  }
  if (toCallHook(0, hook) !== undefined)
    return rawTracepoint.ok ? readCallArguments(hook.args) : rawTracepoint;
  if (!tracepoint.ok) return tracepoint;
  const fields = readTracepointFields(hook.subsystem, hook.event);
  if (!fields.ok) return fields;
  return readTracepointArguments(hook.args, fields.value, userMemory.includes(hook.subsystem));
}
