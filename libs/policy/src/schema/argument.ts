// SPDX-License-Identifier: Apache-2.0
// One argument of a hooked function (KProbeArg), for every kind of hook.

import * as v from "valibot";
import { nonEmptyText, oneOf, switchedOff, text, unsigned } from "./scalar.ts";
import { shape } from "./shape.ts";

const integerTypes = [
  "int",
  "sint8",
  "int8",
  "uint8",
  "sint16",
  "int16",
  "uint16",
  "uint32",
  "sint32",
  "int32",
  "ulong",
  "uint64",
  "size_t",
  "long",
  "sint64",
  "int64",
  "syscall64",
] as const; // const: each name is a type of its own

/** The enum of the CRD (label cilium.io.k8s.crd.schema.version 1.8.13). */
const argumentTypes = [
  "auto",
  ...integerTypes,
  "char_buf",
  "char_iovec",
  "skb",
  "sock",
  "sockaddr",
  "socket",
  "sockaddr_un",
  "string",
  "fd",
  "file",
  "filename",
  "path",
  "nop",
  "bpf_attr",
  "perf_event",
  "bpf_map",
  "user_namespace",
  "capability",
  "kiocb",
  "iov_iter",
  "cred",
  "const_buf",
  "load_info",
  "module",
  "kernel_cap_t",
  "cap_inheritable",
  "cap_permitted",
  "cap_effective",
  "linux_binprm",
  "data_loc",
  "net_device",
  "bpf_cmd",
  "dentry",
  "bpf_prog",
] as const; // const: as above

export const argument = shape({
  index: unsigned,
  type: v.optional(oneOf(argumentTypes), "auto"),
  resolve: v.optional(text, ""),
  sizeArgIndex: v.optional(unsigned),
  returnCopy: switchedOff,
  maxData: switchedOff,
  label: v.optional(nonEmptyText),
  source: v.optional(text, ""),
  btfType: v.optional(text, ""),
  btfTypeModule: v.optional(text, ""),
});

export type Argument = v.InferOutput<typeof argument>;

/** Types whose values are part of the BPF program, which has room for few. `auto` may resolve to one of them. */
const integers: ReadonlySet<string> = new Set(integerTypes);
export const isInteger = ({ type }: Argument): boolean => integers.has(type);
