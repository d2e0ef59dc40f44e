// SPDX-License-Identifier: Apache-2.0
// Which arguments of a hook the programs read, and what the facets of the event are then.

import type { Argument } from "../schema/argument.ts";
import {
  type ArgumentPlace,
  findUnread,
  readArguments,
  type SocketEnd,
  toArgumentFacet,
} from "./argument-place.ts";
import type { HookArgument } from "./kernel-rule.ts";

/** How a kind of hooks has its arguments. Texts and addresses are in the memory of the process or in that of the kernel. */
export interface ArgumentSource {
  /** "a system call" */
  readonly name: string;
  /** Types of the CRD that make no sense here. */
  readonly without: ReadonlySet<Argument["type"]>;
  /** From the index of the policy to that of the program; undefined where the programs read no such argument. */
  readonly toIndex: (index: number) => number | undefined;
  /** argN is the argument that the policy has by this index; without it, the N-th that is read. */
  readonly toPlace?: (index: number) => number;
  /** What a sockaddr is; without it, the destination. */
  readonly addressEnd?: SocketEnd;
}

export interface PlacedArguments {
  /** Of each declared argument. */
  readonly places: readonly ArgumentPlace[];
  /** argN is entry N. */
  readonly args: readonly HookArgument[];
}

const skipped: HookArgument = { index: 0, reading: "skip" };

export function placeArguments(declared: readonly Argument[], source: ArgumentSource): PlacedArguments {
  const args: HookArgument[] = [];
  const places = declared.map((argument): ArgumentPlace => {
    const { index, type } = argument;
    const unread = (needs: string): ArgumentPlace => ({ argument, kind: "unread", needs });
    const missing = findUnread(argument);
    if (missing !== undefined) return unread(missing);
    const read = source.without.has(type) ? undefined : readArguments.get(type);
    const from = source.toIndex(index);
    if (read === undefined) return unread(`programs that read the type ${type} of ${source.name}`);
    if (from === undefined) return unread(`programs that read argument ${index} of ${source.name}`);
    const { sizeArgIndex = 0 } = argument;
    const sizeIndex = type === "char_buf" ? source.toIndex(sizeArgIndex - 1) : undefined;
    if (type === "char_buf" && (sizeArgIndex === 0 || sizeIndex === undefined))
      return unread("sizeArgIndex, the number of the argument with its length");
    const entry: HookArgument = {
      index: from,
      reading: read.reading,
      ...(sizeIndex === undefined ? {} : { sizeIndex }),
    };
    const place = source.toPlace === undefined ? args.length : source.toPlace(index);
    const facet = toArgumentFacet(place);
    if (facet === undefined) return unread(`programs that read argument ${index} of ${source.name}`);
    const taken = args[place];
    if (taken !== undefined && taken.reading !== "skip" && taken.reading !== entry.reading)
      return unread(`programs that read argument ${index} in two ways`);
    while (args.length < place) args.push(skipped);
    args[place] = entry;
    if (read.compared.kind === "socket")
      return { argument, kind: "socket", ends: ["source", "destination"], elsewhere: "" };
    if (read.compared.kind === "sockaddr")
      return { argument, kind: "sockaddr", end: source.addressEnd ?? "destination" };
    return { argument, facet, ...read.compared };
  });
  return { places, args };
}

const pointers: readonly Argument["type"][] = [
  "file",
  "path",
  "dentry",
  "linux_binprm",
  "sock",
  "capability",
  "cred",
  "data_loc",
];

/** Fields of a tracepoint that all tracepoints have, and the number of the system call. */
const fieldsBeforeArguments = 5;

export const syscallArguments: ArgumentSource = {
  name: "a system call",
  without: new Set(pointers),
  toIndex: (index) => (index < 6 ? index + fieldsBeforeArguments : undefined),
};

/** The index is that of the field in the tracepoint's format, with the fields that all have. */
export const fieldsOf = (subsystem: string): ArgumentSource => ({
  name: "a tracepoint",
  without: new Set(subsystem === "syscalls" ? pointers : ["linux_binprm", "path"]),
  toIndex: (index) => index,
});

/** Five are in registers on every processor. */
const inRegisters = 5;

export const argumentsOf = (name: string): ArgumentSource => ({
  name: "a kernel function",
  without: new Set(["data_loc"]),
  toIndex: (index) => (index < inRegisters ? index : undefined),
  addressEnd: /bind/.test(name) ? "source" : "destination",
});
