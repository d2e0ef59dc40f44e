// SPDX-License-Identifier: Apache-2.0
// Hooks on system calls and kernel functions: kprobes and fentries.

import { err, ok, type Result } from "@rthooks/result";
import type { Argument } from "../schema/argument.ts";
import type { Selector } from "../schema/selector.ts";
import type { ArgumentPlace, NamedArgument } from "./argument-place.ts";
import { findExecTarget } from "./exec-target.ts";
import { type FoundTarget, only64Bits, plainTarget, type TargetContext } from "./hook-target.ts";
import type { HookPoint, NumberFilter } from "./kernel-rule.ts";
import { hasSameArguments, toLsmHook } from "./lsm-functions.ts";
import { findLsmTarget } from "./lsm-target.ts";
import { argumentsOf, placeArguments, syscallArguments } from "./place-arguments.ts";
import { findEnd } from "./socket-filter.ts";
import { parseSyscall, toSyscallSymbol } from "./syscall-name.ts";
import type { Architecture } from "./syscall-numbers.ts";

interface CallHook {
  readonly call: string;
  readonly syscall: boolean;
  readonly args: readonly Argument[];
  readonly selectors: readonly Selector[];
}

export function findCallTarget(hook: CallHook, { architecture, lists }: TargetContext): FoundTarget {
  const listed = lists.members(hook.call);
  if (!listed.ok) return err({ field: "call", needs: listed.error });
  if (listed.value === "all") return findAllSyscalls(hook);
  const { calls, areSyscalls } = listed.value;
  const [first, ...others] = calls;
  const isList = first !== hook.call;
  const isSyscall = (call: string): boolean =>
    areSyscalls || (isList ? /^(__\w+?_)?sys_/.test(call) : hook.syscall);
  if (first !== undefined && others.length === 0 && !isList)
    return hook.syscall ? findSyscallTarget(hook, architecture) : findFunctionTarget(hook);
  return findListTarget(hook, calls, isSyscall, architecture);
}

function findSyscallTarget({ call, args }: CallHook, architecture: Architecture): FoundTarget {
  const name = parseSyscall(call, architecture);
  if (!name.ok) return err({ field: "call", needs: name.error });
  const report = { event: "kprobe", hook: toSyscallSymbol(name.value, architecture) } as const; // const: a message
  const exec = findExecTarget(`sys_${name.value}`, args, report);
  if (exec !== undefined) return ok(exec);
  const placed = placeArguments(args, syscallArguments);
  return ok({
    ...plainTarget,
    hooks: [toSyscallHook(name.value, placed.args)],
    places: placed.places,
    report,
    notes: [only64Bits],
  });
}

const toSyscallHook = (
  name: string,
  args: Extract<HookPoint, { kind: "tracepoint" }>["args"],
): HookPoint => ({
  kind: "tracepoint",
  subsystem: "syscalls",
  event: `sys_enter_${name}`,
  args,
});

const IPPROTO_TCP = 6n;
const IPPROTO_UDP = 17n;
const udp =
  "datagrams to IPv4 and IPv6 addresses are covered, whichever of udp_sendmsg and udpv6_sendmsg is named";

/** Functions that send to the address of a socket. */
const sending: ReadonlyMap<string, { readonly protocol: bigint; readonly notes: readonly string[] }> =
  new Map([
    ["tcp_connect", { protocol: IPPROTO_TCP, notes: [] }],
    ["udp_sendmsg", { protocol: IPPROTO_UDP, notes: [udp] }],
    ["udpv6_sendmsg", { protocol: IPPROTO_UDP, notes: [udp] }],
  ]);

function findFunctionTarget(hook: CallHook): FoundTarget {
  const { call, args } = hook;
  const report = { event: "kprobe", hook: call } as const; // const: a message
  const lsm = toLsmHook(call);
  if (lsm !== undefined) return findLsmTarget(lsm, hook, report, true);
  const found = sending.get(call);
  if (found !== undefined && !needsSocket(hook)) {
    const { protocol, notes } = found;
    const numbers: readonly NumberFilter[] = [{ facet: "protocol", values: [protocol], isNegated: false }];
    return ok({
      ...plainTarget,
      hooks: [{ kind: "connect" }],
      places: args.map(toConnectPlace),
      numbers,
      report,
      notes,
    });
  }
  const placed = placeArguments(args, argumentsOf(call));
  return ok({
    ...plainTarget,
    hooks: [{ kind: "function", name: call, args: placed.args }],
    places: placed.places,
    report,
  });
}

/** Before the kernel's function runs, a connection has no source and no state. */
const needsSocket = ({ args, selectors }: CallHook): boolean =>
  args.some(({ index }) => index !== 0) ||
  selectors.some(({ matchArgs }) =>
    matchArgs.some(({ operator }) => operator === "State" || findEnd(operator) === "source"),
  );

function toConnectPlace(argument: Argument): ArgumentPlace {
  if (argument.type !== "sock" || argument.resolve !== "")
    return { argument, kind: "unread", needs: `programs that read argument 0 as ${argument.type}` };
  return { argument, kind: "socket", ends: ["destination"], elsewhere: "a kprobe on the function" };
}

/** One rule about several hooks, so that argN must be the same argument in all of them. */
function findListTarget(
  { call, args }: CallHook,
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
    notes: calls.some(isSyscall) ? [only64Bits] : [],
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
): readonly ArgumentPlace[] => other.map((place, at) => (one[at]?.kind === "unread" ? one[at] : place));

const callNumber: NamedArgument = { index: 4, type: "syscall64", label: undefined };

/** Every system call has one hook in common, which knows the number of the call. */
function findAllSyscalls({ args }: CallHook): FoundTarget {
  if (args.length > 0) return err({ field: "args", needs: "arguments that all system calls have" });
  return ok({
    ...plainTarget,
    hooks: [
      {
        kind: "tracepoint",
        subsystem: "raw_syscalls",
        event: "sys_enter",
        args: [{ index: 4, reading: "uint64" }],
      },
    ],
    places: [{ argument: callNumber, kind: "number", facet: "arg0", number: { bits: 64, isSigned: false } }],
    report: { event: "tracepoint", hook: "raw_syscalls/sys_enter" },
    notes: ["events are those of raw_syscalls/sys_enter, with the number of the system call"],
  });
}
