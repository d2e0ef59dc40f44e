// SPDX-License-Identifier: Apache-2.0
// Hooks on system calls and kernel functions: kprobes and fentries.

import { err, ok } from "@rthooks/result";
import type { Argument } from "../schema/argument.ts";
import type { Selector } from "../schema/selector.ts";
import type { ArgumentPlace, NamedArgument } from "./argument-place.ts";
import { findExecTarget } from "./exec-target.ts";
import { type FoundTarget, noteCalls, plainTarget, type TargetContext } from "./hook-target.ts";
import type { HookPoint, NumberFilter } from "./kernel-rule.ts";
import { findListTarget } from "./list-target.ts";
import { toLsmHook } from "./lsm-functions.ts";
import { findLsmTarget } from "./lsm-target.ts";
import { argumentsOf, placeArguments, syscallArguments } from "./place-arguments.ts";
import { findEnd } from "./socket-filter.ts";
import { parseSyscall, toSyscallHook, toSyscallSymbol } from "./syscall-name.ts";
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
    notes: noteCalls(architecture),
  });
}

const IPPROTO_TCP = 6n;
const IPPROTO_UDP = 17n;
const udp =
  "datagrams to IPv4 and IPv6 addresses are covered, whichever of udp_sendmsg and udpv6_sendmsg is named";

/** A function that sends to the address of a socket. */
interface Sending {
  readonly protocol: bigint;
  /** When the function runs, the socket has the destination. */
  readonly isConnected: boolean;
  readonly notes: readonly string[];
}

const sending: ReadonlyMap<string, Sending> = new Map([
  ["tcp_connect", { protocol: IPPROTO_TCP, isConnected: true, notes: [] }],
  ["udp_sendmsg", { protocol: IPPROTO_UDP, isConnected: false, notes: [udp] }],
  ["udpv6_sendmsg", { protocol: IPPROTO_UDP, isConnected: false, notes: [udp] }],
]);

function findFunctionTarget(hook: CallHook): FoundTarget {
  const { call, args } = hook;
  const report = { event: "kprobe", hook: call } as const; // const: a message
  const lsm = toLsmHook(call);
  if (lsm !== undefined) return findLsmTarget(lsm, hook, report, true);
  const found = sending.get(call);
  if (found !== undefined && !needsSocket(hook)) {
    const { protocol, isConnected, notes } = found;
    const own: HookPoint = { kind: "function", name: call, args: [{ index: 0, reading: "sock" }] };
    const numbers: readonly NumberFilter[] = [{ facet: "protocol", values: [protocol], isNegated: false }];
    return ok({
      ...plainTarget,
      hooks: [{ kind: "connect" }],
      fallbacks: [isConnected ? own : undefined],
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

const callNumber: NamedArgument = { index: 4, type: "syscall64", label: undefined };

/** All system calls have one hook in common, which has the number of the call as a facet. */
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
