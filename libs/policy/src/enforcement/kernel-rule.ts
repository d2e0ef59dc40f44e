// SPDX-License-Identifier: Apache-2.0
// A rule for the programs in the kernel: where its events come from, what they are compared with, and what is done.
// An event has facets: numbers, texts and addresses.

/** Numeric facets of an event. `argN`: argument N of the hook (see HookPoint). */
export type NumberFacet =
  | `arg${0 | 1 | 2 | 3 | 4}`
  | "destinationPort"
  | "sourcePort"
  | "protocol"
  | "family"
  | "socketType"
  | "socketState"
  /** Of the process, in the namespace of the node, and in its own. */
  | "pid"
  | "namespacePid";
/** `binary`: path of the process' executable, as the process sees it. */
export type TextFacet = `arg${0 | 1 | 2 | 3 | 4}` | "binary";
export type AddressFacet = "destination" | "source";

/** How the program reads an argument. */
export type ArgumentReading =
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "int16"
  | "uint16"
  | "int8"
  | "uint8"
  /** Zero-terminated, in user memory. */
  | "string"
  /** Zero-terminated, in kernel memory; also data_loc of a tracepoint. */
  | "kernel-string"
  /** User memory, length from another argument. */
  | "char_buf"
  /** Number; the path of the open file as text. */
  | "fd"
  /** Text: its path. */
  | "file"
  | "path"
  | "dentry"
  | "linux_binprm"
  /** Numbers and addresses of the socket facets. */
  | "sock"
  | "sockaddr"
  /** Number: the capability; the uid. */
  | "capability"
  | "cred"
  | "skip";

export interface HookArgument {
  readonly index: number;
  readonly reading: ArgumentReading;
  /** Of a char_buf: index of the argument with its length. */
  readonly sizeIndex?: number;
}

/** Where an event comes from. */
export type HookPoint =
  /** An execution: text arg0 is the path. */
  | { readonly kind: "exec" }
  /** A connection, or a datagram to an address: socket facets, destination. */
  | { readonly kind: "connect" }
  /** bind(2): socket facets, source. */
  | { readonly kind: "bind" }
  /** An LSM hook; argN is the N-th argument of that hook. Which argument has which facets: libs/bpf/src/core/lsm-hooks.ts. */
  | { readonly kind: "lsm"; readonly hook: string }
  /** A kernel function; argN is the N-th entry of `args`. */
  | { readonly kind: "function"; readonly name: string; readonly args: readonly HookArgument[] }
  /** Also system calls ("syscalls/sys_enter_NAME"): index as in the policy; argN is the N-th entry of `args`. */
  | {
      readonly kind: "tracepoint";
      readonly subsystem: string;
      readonly event: string;
      readonly args: readonly HookArgument[];
    };

export interface NumberFilter {
  readonly facet: NumberFacet;
  readonly values: readonly bigint[];
  readonly isNegated: boolean;
}

/** Signed values are sign-extended to 64 bits. inRange: pairs, both ends included. mask: any of the bits. */
export interface Comparison {
  readonly facet: NumberFacet;
  readonly operator: "gt" | "lt" | "mask" | "inRange" | "notInRange";
  readonly isSigned: boolean;
  readonly values: readonly bigint[];
}

export interface TextFilter {
  readonly facet: TextFacet;
  readonly match: "exact" | "prefix" | "postfix";
  readonly values: readonly string[];
  readonly isNegated: boolean;
}

/** Addresses and blocks in CIDR notation, IPv4 and IPv6; "::/0" covers IPv4 too. */
export interface AddressFilter {
  readonly facet: AddressFacet;
  readonly blocks: readonly string[];
  readonly isNegated: boolean;
}

export interface RuleFilters {
  readonly numbers: readonly NumberFilter[];
  readonly comparisons: readonly Comparison[];
  readonly texts: readonly TextFilter[];
  readonly addresses: readonly AddressFilter[];
}

/** What is done with a process or its call. */
export type RuleEffect =
  | { readonly kind: "kill" }
  | { readonly kind: "signal"; readonly number: number }
  /** The call fails with this error, 1 = EPERM. */
  | { readonly kind: "override"; readonly errno: number };

/** One selector of one hook of a policy. */
export interface KernelRule {
  /** It is about any of these. At least one. */
  readonly hooks: readonly HookPoint[];
  /** All must match; several on one facet are allowed. An event without the facet does not match, unless the filter is negated. */
  readonly filters: RuleFilters;
  readonly effects: readonly RuleEffect[];
  /** An event is due for each match. */
  readonly posts: boolean;
  readonly rateLimit:
    | { readonly seconds: number; readonly scope: "thread" | "process" | "global" }
    | undefined;
}
