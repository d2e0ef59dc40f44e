// SPDX-License-Identifier: Apache-2.0
// The layout of bpf/rules.h.

import { parseBlock, parseIp } from "@rthooks/net";

/** A rule is one selector of one policy, with a number from 0 to RULES - 1. */
export const RULES = 256;
export const RULE_SET_BYTES = RULES / 8;
/** How many different levels of the cgroup hierarchy can have containers. */
export const LEVELS = 8;
/** Of a path that a rule can compare; an exact path needs one for its end. */
export const PATH_BYTES = 256;

export type RuleSet = ReadonlySet<number>;

/** What programs read first. */
export interface Enforcement {
  /** Levels at which containers have their root cgroup; 1 is below the root. At most LEVELS different ones. */
  readonly levels: ReadonlySet<number>;
  /** Rules that are complete in all maps. */
  readonly active: RuleSet;
  /** Rules that deny; the others only count. */
  readonly denying: RuleSet;
  /** Rules about executions. */
  readonly exec: RuleSet;
  /** Rules about connections of stream sockets, and of all others. */
  readonly stream: RuleSet;
  readonly datagram: RuleSet;
  /** Rules about connections to any port. */
  readonly anyPort: RuleSet;
}

/** The sets of struct enforcement in their order. */
export const ruleSetNames = ["active", "denying", "exec", "stream", "datagram", "anyPort"] as const;

/** Rule n is bit n % 8 of byte n / 8: the order of little-endian words. */
export function encodeRuleSet(rules: Iterable<number>): Uint8Array {
  const bytes = new Uint8Array(RULE_SET_BYTES);
  for (const rule of rules) {
    if (!Number.isInteger(rule) || rule < 0 || rule >= RULES) throw new RangeError(`no rule number: ${rule}`);
    bytes[rule >> 3] = (bytes[rule >> 3] ?? 0) | (1 << (rule & 7));
  }
  return bytes;
}

export function decodeRuleSet(bytes: Uint8Array): RuleSet {
  const rules = new Set<number>();
  for (let rule = 0; rule < RULES; rule++) {
    if (((bytes[rule >> 3] ?? 0) >> (rule & 7)) & 1) rules.add(rule);
  }
  return rules;
}

export function encodeEnforcement(enforcement: Enforcement): Uint8Array {
  const bytes = new Uint8Array(LEVELS + ruleSetNames.length * RULE_SET_BYTES);
  const deepestFirst = [...enforcement.levels].toSorted((one, other) => other - one);
  if (deepestFirst.length > LEVELS) throw new RangeError(`${deepestFirst.length} levels of cgroups`);
  bytes.set(deepestFirst);
  for (const [at, name] of ruleSetNames.entries())
    bytes.set(encodeRuleSet(enforcement[name]), LEVELS + at * RULE_SET_BYTES);
  return bytes;
}

export function decodeEnforcement(bytes: Uint8Array): Enforcement {
  const read = (name: (typeof ruleSetNames)[number]): RuleSet =>
    decodeRuleSet(bytes.subarray(LEVELS + ruleSetNames.indexOf(name) * RULE_SET_BYTES));
  return {
    levels: new Set([...bytes.subarray(0, LEVELS)].filter((level) => level !== 0)),
    ...{ active: read("active"), denying: read("denying"), exec: read("exec") },
    ...{ stream: read("stream"), datagram: read("datagram"), anyPort: read("anyPort") },
  };
}

/** Bits of an address or a path; the key of a longest-prefix match. */
export interface Prefix {
  readonly bits: number;
  /** What is after the last bit is 0. */
  readonly bytes: Uint8Array;
}

export function decodePrefix(key: Uint8Array): Prefix {
  return { bits: new DataView(key.buffer, key.byteOffset).getUint32(0, true), bytes: key.slice(4) };
}

/** Struct path_key and struct address_key. */
export function encodePrefix({ bits, bytes }: Prefix): Uint8Array {
  const key = new Uint8Array(4 + bytes.length);
  new DataView(key.buffer).setUint32(0, bits, true);
  key.set(bytes, 4);
  return key;
}

/** Of an address or a block of them in CIDR notation; undefined for other text. */
export function toAddressPrefix(text: string): Prefix | undefined {
  const address = parseIp(text);
  const block = address === undefined ? parseBlock(text) : { base: address, bits: 128 };
  if (block === undefined) return undefined;
  const { base, bits } = block;
  return { bits, bytes: base.map((byte, at) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - at * 8)))) };
}

/** Undefined for a path that is too long to compare, or with a zero in it. */
export function toPathPrefix(path: string, match: "exact" | "prefix"): Prefix | undefined {
  const text = new TextEncoder().encode(path);
  const length = text.length + (match === "exact" ? 1 : 0);
  if (length > PATH_BYTES || text.includes(0)) return undefined;
  const bytes = new Uint8Array(PATH_BYTES);
  bytes.set(text);
  return { bits: length * 8, bytes };
}
