// SPDX-License-Identifier: Apache-2.0
// A hook on each call of a list.

import { err, ok, type Result } from "@rthooks/result";
import type { Argument } from "../schema/argument.ts";
import type { ArgumentPlace } from "./argument-place.ts";
import { type FoundTarget, noteCalls, plainTarget } from "./hook-target.ts";
import type { HookPoint } from "./kernel-rule.ts";
import { hasSameArguments, toLsmHook } from "./lsm-functions.ts";
import { argumentsOf, placeArguments, syscallArguments } from "./place-arguments.ts";
import { parseSyscall, toSyscallHook, toSyscallSymbol } from "./syscall-name.ts";
import type { Architecture } from "./syscall-numbers.ts";

/** One rule about several hooks, so that argN must be the same argument in all of them. */
export function findListTarget(
  { call, args }: { readonly call: string; readonly args: readonly Argument[] },
  calls: readonly string[],
  isSyscall: (call: string) => boolean,
  architecture: Architecture,
): FoundTarget {
  const toPlace = (index: number): number => index;
  const hooks: HookPoint[] = [];
  const fallbacks: (HookPoint | undefined)[] = [];
  const names: Record<string, string> = {};
  let places: readonly ArgumentPlace[] = [];
  for (const member of calls) {
    const found = toMember(member, args, toPlace, isSyscall(member), architecture);
    if (!found.ok) return err({ field: "call", needs: found.error });
    hooks.push(found.value.hook);
    fallbacks.push(found.value.fallback);
    names[found.value.key] = found.value.name;
    places = mergePlaces(places, found.value.places);
  }
  return ok({
    ...plainTarget,
    ...{ hooks, fallbacks, places },
    report: { event: "kprobe", hook: call, hooks: names },
    notes: calls.some(isSyscall) ? noteCalls(architecture) : [],
  });
}

interface Member {
  readonly hook: HookPoint;
  readonly fallback: HookPoint | undefined;
  readonly key: string;
  readonly name: string;
  readonly places: readonly ArgumentPlace[];
}

function toMember(
  call: string,
  args: readonly Argument[],
  toPlace: (index: number) => number,
  isSyscall: boolean,
  architecture: Architecture,
): Result<Member, string> {
  if (isSyscall) {
    const name = parseSyscall(call, architecture);
    if (!name.ok) return name;
    const placed = placeArguments(args, { ...syscallArguments, toPlace });
    return ok({
      hook: toSyscallHook(name.value, placed.args),
      fallback: undefined,
      key: `syscalls/sys_enter_${name.value}`,
      name: toSyscallSymbol(name.value, architecture),
      places: placed.places,
    });
  }
  const placed = placeArguments(args, { ...argumentsOf(call), toPlace });
  const plain: HookPoint = { kind: "function", name: call, args: placed.args };
  const lsm = hasSameArguments(call) ? toLsmHook(call) : undefined;
  return ok({
    hook: lsm === undefined ? plain : { kind: "lsm", hook: lsm },
    fallback: lsm === undefined ? undefined : plain,
    key: lsm ?? call,
    name: call,
    places: placed.places,
  });
}

/** An argument that one member cannot read is read of none. */
const mergePlaces = (
  one: readonly ArgumentPlace[],
  other: readonly ArgumentPlace[],
): readonly ArgumentPlace[] =>
  other.map((place, at) => {
    const before = one[at] ?? place;
    if (before.kind === "unread" || place.kind === "unread") return before.kind === "unread" ? before : place;
    const isSame = before.kind === "sockaddr" && place.kind === "sockaddr" ? before.end === place.end : true;
    const needs = "members of the list whose addresses are of one kind";
    return isSame ? place : { argument: place.argument, kind: "unread", needs };
  });
