// SPDX-License-Identifier: Apache-2.0
// What the kernel's programs decide by the rules of one hook, in words of the contract (libs/policy, kernel-rule.ts).
import type {
  AddressFacet,
  Comparison,
  HookOutcome,
  KernelRule,
  NumberFacet,
  NumberFilter,
  TextFacet,
  TextFilter,
} from "@rthooks/policy";

/** An absent facet: the event does not have it. Numbers are sign-extended, as the program reads them. */
export interface FacetEvent {
  readonly numbers?: Partial<Record<NumberFacet, bigint>>;
  readonly texts?: Partial<Record<TextFacet, string>>;
  readonly addresses?: Partial<Record<AddressFacet, string>>;
}

/** Whether a block in CIDR notation, or an address, covers the address. */
export type Covers = (block: string, address: string) => boolean;

/** Of a group the first rule that matches decides; undefined where a selector has no rule, or where none matches. */
export function decide(
  outcomes: readonly HookOutcome[],
  event: FacetEvent,
  covers: Covers,
): KernelRule | "no rules" | undefined {
  const [{ outcomes: group } = { outcomes: [] }] = outcomes;
  const rules: KernelRule[] = [];
  for (const outcome of group) {
    if (outcome.kind === "unsupported") return "no rules";
    rules.push(outcome.rule.rule);
  }
  return rules.find((rule) => matches(rule, event, covers));
}

function matches({ filters }: KernelRule, event: FacetEvent, covers: Covers): boolean {
  return (
    filters.numbers.every((one) => matchesNumber(one, event.numbers?.[one.facet])) &&
    filters.comparisons.every((one) => matchesComparison(one, event.numbers?.[one.facet])) &&
    filters.texts.every((one) => matchesText(one, event.texts?.[one.facet])) &&
    filters.addresses.every(({ facet, blocks, isNegated }) => {
      const address = event.addresses?.[facet];
      return (address !== undefined && blocks.some((block) => covers(block, address))) !== isNegated;
    })
  );
}

const matchesNumber = ({ values, isNegated }: NumberFilter, value: bigint | undefined): boolean =>
  (value !== undefined && values.includes(value)) !== isNegated;

function matchesText({ match, values, isNegated }: TextFilter, text: string | undefined): boolean {
  const one = (value: string): boolean => {
    if (match === "exact") return text === value;
    return (match === "prefix" ? text?.startsWith(value) : text?.endsWith(value)) === true;
  };
  return values.some(one) !== isNegated;
}

function matchesComparison({ operator, values, isSigned }: Comparison, value: bigint | undefined): boolean {
  if (value === undefined) return operator === "notInRange";
  const [first = 0n] = values;
  // The kernel compares 64 bits.
  const wide = (one: bigint): bigint => (isSigned ? BigInt.asIntN(64, one) : BigInt.asUintN(64, one));
  switch (operator) {
    case "gt":
      return wide(value) > wide(first);
    case "lt":
      return wide(value) < wide(first);
    case "mask":
      return (BigInt.asUintN(64, value) & BigInt.asUintN(64, first)) !== 0n;
    default: {
      const isIn = values.some(
        (from, at) =>
          at % 2 === 0 && wide(value) >= wide(from) && wide(value) <= wide(values[at + 1] ?? from),
      );
      return isIn === (operator === "inRange");
    }
  }
}
