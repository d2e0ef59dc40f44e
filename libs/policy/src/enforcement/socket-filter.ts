// SPDX-License-Identifier: Apache-2.0
// Filters of a policy on the addresses, ports and kinds of sockets.

import { parseBlock, parseIp } from "@rthooks/net";
import { err, ok, type Result } from "@rthooks/result";
import { describeValue } from "../schema/describe-value.ts";
import type { ValueFilter } from "../schema/value-filter.ts";
import type { SocketEnd } from "./argument-place.ts";
import type { AddressFilter, Comparison, NumberFilter } from "./kernel-rule.ts";
import { type NumberSubject, toNumberFilter } from "./number-filter.ts";
import type { MissingCapability } from "./policy-rule.ts";
import { families, protocols, states } from "./socket-names.ts";

export interface SocketFilters {
  readonly numbers: readonly NumberFilter[];
  readonly comparisons: readonly Comparison[];
  readonly addresses: readonly AddressFilter[];
}

/** Which end of a socket an operator is about; undefined where it is about none. */
export function findEnd(operator: string): SocketEnd | undefined {
  const [, letter] = /^(?:Not)?([SD])(?:Addr|[Pp]ort)/.exec(operator) ?? [];
  return letter === undefined ? undefined : letter === "S" ? "source" : "destination";
}

/** `end`: which the operator is about. Undefined: the operator is not one for sockets. */
export function toSocketFilter(
  { operator, values }: Pick<ValueFilter, "operator" | "values">,
  end: SocketEnd | undefined,
): Result<SocketFilters, MissingCapability> | undefined {
  const isNegated = operator.startsWith("Not");
  if (end !== undefined) {
    if (operator.endsWith("Addr")) return toAddresses(values, end, isNegated);
    const facet = end === "source" ? "sourcePort" : "destinationPort";
    if (operator.endsWith("Priv")) return ok(toPrivileged(facet, isNegated));
    return toNumbers(values, { facet, type: port, wanted: portWanted }, isNegated);
  }
  switch (operator) {
    case "Protocol":
      return toNumbers(values, named("protocol", protocols, "IPPROTO_TCP"), false);
    case "Family":
      return toNumbers(values, named("family", families, "AF_INET"), false);
    case "State":
      return toNumbers(values, named("socketState", states, "TCP_ESTABLISHED"), false);
    default:
      return undefined;
  }
}

const port = { bits: 16, isSigned: false } as const; // const: a number's type
const portWanted = 'a port or a range of them like "1:1023"';
const maxPrivileged = 1023n;

const named = (
  facet: NumberSubject["facet"],
  names: ReadonlyMap<string, number>,
  example: string,
): NumberSubject => ({
  facet,
  type: port,
  toNumber: (text) => {
    const number = names.get(text.toUpperCase());
    return number === undefined ? undefined : BigInt(number);
  },
  wanted: `a name like ${example}, or a number`,
});

function toNumbers(
  values: readonly string[],
  subject: NumberSubject,
  isNegated: boolean,
): Result<SocketFilters, MissingCapability> {
  const found = toNumberFilter({ operator: isNegated ? "NotInMap" : "InMap", values }, subject);
  if (found === undefined) return ok({ numbers: [], comparisons: [], addresses: [] });
  return found.ok ? ok({ ...found.value, addresses: [] }) : found;
}

const toPrivileged = (facet: "sourcePort" | "destinationPort", isNegated: boolean): SocketFilters => ({
  numbers: [],
  comparisons: [
    {
      facet,
      operator: isNegated ? "notInRange" : "inRange",
      isSigned: false,
      values: [0n, maxPrivileged],
    },
  ],
  addresses: [],
});

function toAddresses(
  values: readonly string[],
  facet: SocketEnd,
  isNegated: boolean,
): Result<SocketFilters, MissingCapability> {
  if (values.length === 0) return err({ field: "values", needs: "a value" });
  for (const [at, written] of values.entries()) {
    if (parseIp(written) !== undefined || parseBlock(written) !== undefined) continue;
    const needs = `an address or a block of them, not ${describeValue(written)}`;
    return err({ field: `values[${at}]`, needs });
  }
  return ok({
    numbers: [],
    comparisons: [],
    addresses: [{ facet, blocks: [...new Set(values)], isNegated }],
  });
}
