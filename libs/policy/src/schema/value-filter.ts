// SPDX-License-Identifier: Apache-2.0
// matchArgs, matchData and matchReturnArgs (ArgSelector).

import * as v from "valibot";
import { type Argument, isInteger } from "./argument.ts";
import { oneOf, text, unsigned } from "./scalar.ts";
import { listOf, type Report, shape } from "./shape.ts";

/** The enum of the CRD, and NotSPortPriv: the CRD has NotSportPriv, the documentation and the code of the reference have both. */
const operators = [
  "Equal",
  "NotEqual",
  "Prefix",
  "NotPrefix",
  "Postfix",
  "NotPostfix",
  "GreaterThan",
  "GT",
  "LessThan",
  "LT",
  "Mask",
  "InRange",
  "NotInRange",
  "InMap",
  "NotInMap",
  "SubString",
  "SubStringIgnCase",
  "CelExpr",
  "FileType",
  "NotFileType",
  "CapabilitiesGained",
  "SAddr",
  "NotSAddr",
  "DAddr",
  "NotDAddr",
  "SPort",
  "NotSPort",
  "DPort",
  "NotDPort",
  "SPortPriv",
  "NotSPortPriv",
  "NotSportPriv",
  "DPortPriv",
  "NotDPortPriv",
  "Protocol",
  "Family",
  "State",
] as const; // const: each name is a type of its own

const maxPlainValues = 4;

export const valueFilter = shape(
  {
    index: v.optional(unsigned, 0),
    args: listOf(unsigned),
    operator: oneOf(operators),
    values: listOf(text),
  },
  ({ operator, args }, report) => {
    if (operator === "CapabilitiesGained" && args !== undefined && args.length !== 2) {
      report(["args"], `must name 2 arguments with CapabilitiesGained, not ${args.length}`);
    }
  },
);

export type ValueFilter = v.InferOutput<typeof valueFilter>;

/** These operators keep their values in a BPF map. */
export const isInMap = ({ operator }: ValueFilter): boolean =>
  operator === "InMap" || operator === "NotInMap";

/** The values of an integer argument are part of the BPF program, which has room for four. */
export function checkValueCount(filter: ValueFilter, about: Argument | undefined, report: Report): void {
  if (about === undefined || !isInteger(about) || isInMap(filter)) return;
  if (filter.values.length <= maxPlainValues) return;
  const instead =
    filter.operator === "Equal" || filter.operator === "NotEqual" ? "; InMap and NotInMap take more" : "";
  report(
    ["values"],
    `must have at most ${maxPlainValues} entries for an argument of type ${about.type}, ` +
      `not ${filter.values.length}${instead}`,
  );
}
