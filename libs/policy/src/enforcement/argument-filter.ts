// SPDX-License-Identifier: Apache-2.0
// One entry of matchArgs, as filters on facets of the event.

import { err, ok, type Result } from "@rthooks/result";
import type { ValueFilter } from "../schema/value-filter.ts";
import type { ArgumentPlace } from "./argument-place.ts";
import type { CallLists } from "./call-list.ts";
import type { RuleFilters } from "./kernel-rule.ts";
import { toNumberFilter } from "./number-filter.ts";
import type { MissingCapability } from "./policy-rule.ts";
import { findEnd, toSocketFilter } from "./socket-filter.ts";
import { toTextFilter } from "./text-filter.ts";

export interface ArgumentFilters extends Partial<RuleFilters> {
  /** Sentences. */
  readonly notes?: readonly string[];
}

type Found = Result<ArgumentFilters, MissingCapability>;

/** `place`: where the event has the argument that the filter names. */
export function toArgumentFilters(filter: ValueFilter, place: ArgumentPlace, lists: CallLists): Found {
  const { index, type } = place.argument;
  const otherwise = (): Found =>
    err({ field: "operator", needs: `programs that compare the type ${type} by ${filter.operator}` });
  switch (place.kind) {
    case "unread":
      return err({ field: "index", needs: place.needs });
    case "number":
      return toNumbers(filter, place, lists) ?? otherwise();
    case "text":
      return toTexts(filter, place.facet, place.isPath) ?? otherwise();
    case "fd":
      return (
        toTexts(filter, place.facet, true) ?? toNumberFilter(filter, { ...place, type: fd }) ?? otherwise()
      );
    case "socket": {
      const end = findEnd(filter.operator);
      if (end !== undefined && !place.ends.includes(end))
        return err({ field: "index", needs: place.elsewhere });
      return toSocketFilter(filter, end) ?? otherwise();
    }
    case "sockaddr": {
      // The operators of the source are about the address itself; those of the destination say the same.
      if (filter.operator === "Protocol" || filter.operator === "State") return otherwise();
      const end = findEnd(filter.operator) === undefined ? undefined : place.end;
      return toSocketFilter(filter, end) ?? otherwise();
    }
    default:
      return err({ field: "index", needs: `argument ${index}` });
  }
}

const fd = { bits: 32, isSigned: true } as const; // const: a number's type

function toTexts(filter: ValueFilter, facet: `arg${0 | 1 | 2 | 3 | 4}`, isPath: boolean): Found | undefined {
  const found = toTextFilter(filter, facet, isPath);
  return found?.ok === true ? ok({ texts: [found.value.filter], notes: found.value.notes }) : found;
}

function toNumbers(
  filter: ValueFilter,
  { facet, number }: Extract<ArgumentPlace, { kind: "number" }>,
  lists: CallLists,
): Found | undefined {
  const isInMap = filter.operator === "InMap" || filter.operator === "NotInMap";
  if (!isInMap || number.names !== "system calls") return toNumberFilter(filter, { facet, type: number });
  const values = lists.expand(filter.values);
  if (!values.ok) return values;
  return toNumberFilter({ ...filter, values: values.value }, { facet, type: number });
}
