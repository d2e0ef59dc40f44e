// SPDX-License-Identifier: Apache-2.0
// The addresses, ports and sockets that filters of arguments are about.

import { parseBlock, parseIp } from "@rthooks/net";
import { err, ok, type Result } from "@rthooks/result";
import { describeValue } from "../schema/describe-value.ts";
import type { ValueFilter } from "../schema/value-filter.ts";
import type { MissingCapability } from "./policy-rule.ts";
import { everything, type KeyedPrefix, type PrefixSet } from "./prefix-set.ts";
import type { RuleSockets } from "./subject-rule.ts";

/** What one filter leaves; undefined fields are those that it says nothing about. */
export interface ConnectFilter {
  readonly addresses?: PrefixSet<string>;
  readonly ports?: ReadonlySet<number>;
  readonly sockets?: RuleSockets;
  readonly note?: string;
}

type Parsed = Result<ConnectFilter, MissingCapability>;

const maxPort = 65_535;
/** The kernel has an entry for each port of a rule. */
const maxPorts = 1024;
const privileged = "0:1023";

/** `isSockaddr`: the argument is the destination itself, and the operators of the source are about it. */
export function toConnectFilter({ operator, values }: ValueFilter, isSockaddr: boolean): Parsed {
  const name = isSockaddr ? operator.replace(/^(Not)?S(?=Addr|[Pp]ort)/, "$1D") : operator;
  switch (name) {
    case "DAddr":
    case "NotDAddr":
      return toAddresses(values, name === "NotDAddr");
    case "DPort":
      return toPorts(values);
    case "DPortPriv":
      return toPorts([privileged]);
    case "Protocol":
      return isSockaddr ? unsupported(operator) : toSockets(values);
    case "Family":
      return toFamilies(values);
    default:
      return unsupported(operator);
  }
}

const unsupported = (operator: string): Parsed =>
  err({ field: "operator", needs: `a comparison of connections by ${operator}` });

function toAddresses(values: readonly string[], isNegated: boolean): Parsed {
  const prefixes: KeyedPrefix<string>[] = [];
  for (const [at, written] of values.entries()) {
    const key = toAddressKey(written);
    if (key === undefined) {
      return err({
        field: `values[${at}]`,
        needs: `an address or a block of them, not ${describeValue(written)}`,
      });
    }
    prefixes.push({ key, written });
  }
  return ok({ addresses: { prefixes, isNegated } });
}

/** The bits of an address in its IPv6 form. */
function toAddressKey(text: string): string | undefined {
  const address = parseIp(text);
  const block = address === undefined ? parseBlock(text) : { base: address, bits: 128 };
  if (block === undefined) return undefined;
  return [...block.base]
    .map((byte) => byte.toString(2).padStart(8, "0"))
    .join("")
    .slice(0, block.bits);
}

function toPorts(values: readonly string[]): Parsed {
  const ports = new Set<number>();
  for (const [at, value] of values.entries()) {
    const [, first, last = first] = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(value) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === undefined || from > to || to > maxPort) {
      return err({
        field: `values[${at}]`,
        needs: `a port or a range of them like "1:1023", not ${describeValue(value)}`,
      });
    }
    if (ports.size + to - from >= maxPorts)
      return err({ field: "values", needs: `at most ${maxPorts} ports` });
    for (let port = from; port <= to; port++) ports.add(port);
  }
  return ok({ ports });
}

const protocols: ReadonlyMap<string, RuleSockets> = new Map([
  ["IPPROTO_TCP", "stream"],
  ["6", "stream"],
  ["IPPROTO_UDP", "datagram"],
  ["17", "datagram"],
]);

function toSockets(values: readonly string[]): Parsed {
  const found = new Set<RuleSockets>();
  for (const [at, value] of values.entries()) {
    const sockets = protocols.get(value);
    if (sockets === undefined) {
      return err({
        field: `values[${at}]`,
        needs: `IPPROTO_TCP or IPPROTO_UDP, not ${describeValue(value)}`,
      });
    }
    found.add(sockets);
  }
  const [first, ...others] = found;
  const note = "sockets are told apart by stream and datagram: other protocols of the same kind are covered";
  return ok({ sockets: first === undefined || others.length > 0 ? "all" : first, note });
}

const ipv4: KeyedPrefix<string> = { key: toAddressKey("0.0.0.0/0") ?? "", written: "0.0.0.0/0" };
const families: ReadonlyMap<string, "ipv4" | "ipv6"> = new Map([
  ["AF_INET", "ipv4"],
  ["2", "ipv4"],
  ["AF_INET6", "ipv6"],
  ["10", "ipv6"],
]);

function toFamilies(values: readonly string[]): Parsed {
  const found = new Set<"ipv4" | "ipv6">();
  for (const [at, value] of values.entries()) {
    const family = families.get(value);
    if (family === undefined) {
      return err({ field: `values[${at}]`, needs: `AF_INET or AF_INET6, not ${describeValue(value)}` });
    }
    found.add(family);
  }
  if (found.size !== 1) return ok({ addresses: everything });
  const note = "the family is that of the address: an IPv4-mapped one is IPv4 in an IPv6 socket too";
  return ok({ addresses: { prefixes: [ipv4], isNegated: found.has("ipv6") }, note });
}
