// SPDX-License-Identifier: Apache-2.0
// Which programs are attached for a hook.

import { encodeNumber } from "./bytes.ts";
import { encodeCallLayouts, firstRegister32 } from "./call-layouts.ts";
import { type ArgumentRead, encodeHook, HOOK_INTERNET } from "./hook-constants.ts";
import type { DynamicHook } from "./hook-point.ts";
import { readLsmArguments } from "./lsm-arguments.ts";
import { type LsmHook, type LsmReading, lsmHooks } from "./lsm-hooks.ts";
import type { ProgramInstance } from "./program-instance.ts";
import { toLsmPoint } from "./program-kind.ts";
import type { Processor } from "./registers.ts";

export interface HookAttachment {
  /** A file of bpf/. */
  readonly object: "enforce" | "hooks";
  readonly program: string;
  readonly instance?: ProgramInstance;
  /** The hook that it reads the arguments of. */
  readonly lsmHook?: string;
}

const enforce = (program: string): HookAttachment => ({ object: "enforce", program });

/** The name of an instance starts with the number of its hook. */
export const findHookId = (instance: string): number => Number.parseInt(instance, 10);

export const templates = ["hook_lsm", "hook_function", "hook_tracepoint"] as const; // const: the names are a union

/** By the hook's number, the programs of enforce.bpf.c that judge the same events without BPF LSM. */
export const weakerPrograms: ReadonlyMap<number, readonly HookAttachment[]> = new Map([
  [1, ["kill_exec", "kill_script"].map(enforce)],
  [2, ["connect_ipv4", "connect_ipv6", "send_ipv4", "send_ipv6"].map(enforce)],
  [3, ["bind_ipv4", "bind_ipv6"].map(enforce)],
]);

const lsmProgram = (id: number, { name, args }: Omit<LsmHook, "id">, flags = 0): HookAttachment => ({
  ...{ object: "hooks", program: "hook_lsm", lsmHook: name },
  instance: {
    name: `${id}_${name}`,
    attach: toLsmPoint(name),
    constants: encodeHook(id, readLsmArguments({ id, name, args }), flags),
  },
});

/** Of an LSM hook that judges connections or bind(2): what those hooks know without BPF LSM, and the rest of the socket. */
const onInternet = (id: number, name: string, ...args: readonly LsmReading[]): HookAttachment =>
  lsmProgram(id, { name, args }, HOOK_INTERNET);

/** By the hook's number. A datagram and TCP Fast Open name their address in a message. */
const lsmPrograms: ReadonlyMap<number, readonly HookAttachment[]> = new Map<
  number,
  readonly HookAttachment[]
>([
  [1, [enforce("deny_exec")]],
  [
    2,
    [
      onInternet(2, "socket_connect", "socket to connect", "destination"),
      onInternet(2, "socket_sendmsg", "socket to connect", "message"),
    ],
  ],
  [3, [onInternet(3, "socket_bind", "socket to bind", "source")]],
  ...[...lsmHooks.values()].map((hook) => [hook.id, [lsmProgram(hook.id, hook)]] as const), // const: a pair
]);

/** With BPF LSM; empty for a dynamic hook. */
export const findLsmPrograms = (id: number): readonly HookAttachment[] => lsmPrograms.get(id) ?? [];

export function toDynamicAttachment(
  id: number,
  hook: DynamicHook,
  args: readonly ArgumentRead[],
): HookAttachment {
  const instance = { name: String(id), constants: encodeHook(0, args), cookie: BigInt(id) };
  if (hook.kind === "function") {
    const attach = { kind: "kprobe", symbol: hook.name } as const; // const: a kind of place
    return { object: "hooks", program: "hook_function", instance: { ...instance, attach } };
  }
  const attach = { kind: "tracepoint", group: hook.subsystem, event: hook.event } as const; // const: a kind of place
  return { object: "hooks", program: "hook_tracepoint", instance: { ...instance, attach } };
}

/** The program of all system calls, and that of a list of their arguments. */
export const DISPATCH_PROGRAM = "dispatch_call";
export const ROW_PROGRAM = "judge_call_row";
/** Of an earlier version: attached for each list of arguments. */
export const EARLIER_CALL_PROGRAM = "judge_call";

/** Numbers of socketcall and ipc in the 32-bit table of x86, and the bit of x32 programs. */
const onX64 = { call__socketcall: 102, call__ipc: 117, call__x32: 1 << 30 };
const NO_CALL = 0xffffffff;
const onArm64 = { call__socketcall: NO_CALL, call__ipc: NO_CALL, call__x32: 0 };

type CallAttachment = Required<Pick<HookAttachment, "program" | "instance">>;

const toNumbers = (processor: Processor): ReadonlyMap<string, Uint8Array> =>
  new Map(
    Object.entries({ call__part: firstRegister32, ...(processor === "x64" ? onX64 : onArm64) }).map(
      ([name, value]) => [name, encodeNumber(value)],
    ),
  );

/** Of the program that all system calls pass. */
export function toDispatchAttachment(processor: Processor): CallAttachment {
  const attach = { kind: "raw_tracepoint", event: "sys_enter" } as const; // const: a kind of place
  return { program: DISPATCH_PROGRAM, instance: { name: "all", attach, constants: toNumbers(processor) } };
}

export function toRowAttachment(
  row: number,
  args: readonly ArgumentRead[],
  processor: Processor,
): CallAttachment {
  const constants = new Map([
    ...encodeHook(0, args),
    ...toNumbers(processor),
    ["call__row", encodeNumber(row)],
    ["call__layouts", encodeCallLayouts(processor)],
  ]);
  return { program: ROW_PROGRAM, instance: { name: String(row), attach: { kind: "called" }, constants } };
}
