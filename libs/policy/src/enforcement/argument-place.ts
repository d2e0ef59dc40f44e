// SPDX-License-Identifier: Apache-2.0
// Where an event has the value of a policy's argument, and as what it is compared.

import type { Argument } from "../schema/argument.ts";
import type { ArgumentReading } from "./kernel-rule.ts";

export type ArgumentFacet = `arg${0 | 1 | 2 | 3 | 4}`;
export type SocketEnd = "destination" | "source";

export interface NumberType {
  readonly bits: 8 | 16 | 32 | 64;
  readonly isSigned: boolean;
  readonly names?: "capabilities" | "system calls";
}

export type NamedArgument = Pick<Argument, "index" | "type" | "label">;

export type ArgumentPlace = { readonly argument: NamedArgument } & (
  | { readonly kind: "number"; readonly facet: ArgumentFacet; readonly number: NumberType }
  | { readonly kind: "text"; readonly facet: ArgumentFacet; readonly isPath: boolean }
  /** The path of the open file, and its number. */
  | { readonly kind: "fd"; readonly facet: ArgumentFacet }
  /** `ends`: those that the event has. `elsewhere`: where it has the others. */
  | { readonly kind: "socket"; readonly ends: readonly SocketEnd[]; readonly elsewhere: string }
  | { readonly kind: "sockaddr"; readonly end: SocketEnd }
  /** `needs`: what could read it. */
  | { readonly kind: "unread"; readonly needs: string }
);

const facets: readonly ArgumentFacet[] = ["arg0", "arg1", "arg2", "arg3", "arg4"];

export const toArgumentFacet = (place: number): ArgumentFacet | undefined => facets[place];

export interface ReadArgument {
  readonly reading: ArgumentReading;
  readonly compared:
    | { readonly kind: "number"; readonly number: NumberType }
    | { readonly kind: "text"; readonly isPath: boolean }
    | { readonly kind: "fd" }
    | { readonly kind: "socket" }
    | { readonly kind: "sockaddr" };
}

const integer = (
  reading: ArgumentReading,
  bits: NumberType["bits"],
  isSigned: boolean,
  names?: NumberType["names"],
): ReadArgument => ({
  reading,
  compared: { kind: "number", number: { bits, isSigned, ...(names === undefined ? {} : { names }) } },
});
const path = (reading: ArgumentReading): ReadArgument => ({
  reading,
  compared: { kind: "text", isPath: true },
});
const text = (reading: ArgumentReading): ReadArgument => ({
  reading,
  compared: { kind: "text", isPath: false },
});

/** By the type of the CRD. `socket` is one for LSM hooks and connections only. */
export const readArguments: ReadonlyMap<Argument["type"], ReadArgument> = new Map([
  ["int", integer("int32", 32, true)],
  ["sint32", integer("int32", 32, true)],
  ["int32", integer("int32", 32, true)],
  ["bpf_cmd", integer("int32", 32, true)],
  ["uint32", integer("uint32", 32, false)],
  ["long", integer("int64", 64, true)],
  ["sint64", integer("int64", 64, true)],
  ["int64", integer("int64", 64, true)],
  ["ulong", integer("uint64", 64, false, "system calls")],
  ["uint64", integer("uint64", 64, false, "system calls")],
  ["size_t", integer("uint64", 64, false)],
  ["syscall64", integer("uint64", 64, false, "system calls")],
  ["sint16", integer("int16", 16, true)],
  ["int16", integer("int16", 16, true)],
  ["uint16", integer("uint16", 16, false)],
  ["sint8", integer("int8", 8, true)],
  ["int8", integer("int8", 8, true)],
  ["uint8", integer("uint8", 8, false)],
  ["capability", integer("capability", 32, true, "capabilities")],
  ["cred", integer("cred", 32, false)],
  ["string", text("string")],
  ["char_buf", text("char_buf")],
  ["data_loc", text("kernel-string")],
  ["file", path("file")],
  ["path", path("path")],
  ["dentry", path("dentry")],
  ["linux_binprm", path("linux_binprm")],
  ["fd", { reading: "fd", compared: { kind: "fd" } }],
  ["sock", { reading: "sock", compared: { kind: "socket" } }],
  ["sockaddr", { reading: "sockaddr", compared: { kind: "sockaddr" } }],
]);

/** What no program does for the argument, apart from its type. */
export function findUnread({ resolve, source, returnCopy }: Argument): string | undefined {
  if (resolve !== "") return "programs that follow resolve";
  if (source !== "") return `programs that read from ${source}`;
  return returnCopy ? "programs at the end of the call" : undefined;
}
