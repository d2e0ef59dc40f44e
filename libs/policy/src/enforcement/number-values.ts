// SPDX-License-Identifier: Apache-2.0
// Numbers as a policy writes them: decimal, hexadecimal, octal, binary, and names.

import type { NumberType } from "./argument-place.ts";
import { capabilityNumbers } from "./capability-numbers.ts";

/** As Go reads numbers with base 0, which the reference does: a leading zero means octal. */
const pattern = /^([+-]?)(?:0x([\da-f]+)|0o?([0-7]+)|0b([01]+)|(\d+))$/i;

/** More digits than any number of 64 bits has; a longer text is not read. */
const maxLength = 70;

export function parseNumber(text: string, { bits, isSigned, names }: NumberType): bigint | undefined {
  const named = names === "capabilities" ? capabilityNumbers.get(text.toUpperCase()) : undefined;
  if (named !== undefined) return BigInt(named);
  const found = text.length > maxLength ? null : pattern.exec(text);
  if (found === null) return undefined;
  const [, sign, hexadecimal, octal, binary, decimal] = found;
  const size = BigInt(
    hexadecimal === undefined
      ? octal === undefined
        ? binary === undefined
          ? (decimal ?? "")
          : `0b${binary}`
        : `0o${octal}`
      : `0x${hexadecimal}`,
  );
  const value = sign === "-" ? -size : size;
  const [min, max] = isSigned
    ? [-(1n << BigInt(bits - 1)), (1n << BigInt(bits - 1)) - 1n]
    : [0n, (1n << BigInt(bits)) - 1n];
  return value < min || value > max ? undefined : value;
}

export type Range = readonly [from: bigint, to: bigint];

/** "1:1023"; undefined where it is none, or its end is before its beginning. */
export function parseRange(text: string, type: NumberType): Range | undefined {
  const [first, last, ...others] = text.split(":");
  if (first === undefined || last === undefined || others.length > 0) return undefined;
  const [from, to] = [parseNumber(first, type), parseNumber(last, type)];
  return from === undefined || to === undefined || from > to ? undefined : [from, to];
}

export const describeNumber = ({ bits, isSigned, names }: NumberType): string => {
  const size = `a whole number of ${bits} bits${isSigned ? ", with sign" : ""}`;
  return names === "capabilities" ? `the name of a capability or ${size}` : size;
};
