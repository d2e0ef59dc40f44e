// SPDX-License-Identifier: Apache-2.0
// Sets of paths or addresses, each given by prefixes: those that one of the prefixes covers, or all others.

/** `key`: a prefix of the keys of all that it covers; empty for everything. At most some hundred characters. */
export interface KeyedPrefix<T> {
  readonly key: string;
  /** As a rule has it. */
  readonly written: T;
}

export interface PrefixSet<T> {
  readonly prefixes: readonly KeyedPrefix<T>[];
  /** The set has what none of the prefixes covers. */
  readonly isNegated: boolean;
}

export const everything: PrefixSet<never> = { prefixes: [], isNegated: true };

export const isEmpty = ({ prefixes, isNegated }: PrefixSet<unknown>): boolean =>
  isNegated ? prefixes.some(({ key }) => key === "") : prefixes.length === 0;

export const complement = <T>({ prefixes, isNegated }: PrefixSet<T>): PrefixSet<T> => ({
  prefixes,
  isNegated: !isNegated,
});

/** Undefined: the result is prefixes with exceptions, which a rule cannot say. */
export function intersect<T>(left: PrefixSet<T>, right: PrefixSet<T>): PrefixSet<T> | undefined {
  const [one, other] = [simplify(left), simplify(right)];
  if (one.isNegated && other.isNegated) return toSet([...one.prefixes, ...other.prefixes], true);
  if (one.isNegated) return intersect(other, one);
  if (!other.isNegated) {
    return toSet([...keepCovered(one, other, true), ...keepCovered(other, one, true)], false);
  }
  const rest = toSet(keepCovered(one, other, false), false);
  return keepCovered(other, rest, true).length > 0 ? undefined : rest;
}

/** A set with a prefix that covers everything has no other prefix, nor that one. */
const simplify = <T>(set: PrefixSet<T>): PrefixSet<T> =>
  set.prefixes.some(({ key }) => key === "") ? { prefixes: [], isNegated: !set.isNegated } : set;

/** False where no value is in both. */
export function mayOverlap<T>(one: PrefixSet<T>, other: PrefixSet<T>): boolean {
  const both = intersect(one, other);
  return both === undefined || !isEmpty(both);
}

const toSet = <T>(prefixes: readonly KeyedPrefix<T>[], isNegated: boolean): PrefixSet<T> => ({
  prefixes: [...new Map(prefixes.map((prefix) => [prefix.key, prefix])).values()],
  isNegated,
});

/** Prefixes of `one` that a prefix of `other` covers, or those that none covers. */
function keepCovered<T>(one: PrefixSet<T>, other: PrefixSet<T>, covered: boolean): readonly KeyedPrefix<T>[] {
  const isCovered = createCover(other);
  return one.prefixes.filter(({ key }) => isCovered(key) === covered);
}

/** In order, all keys that a prefix covers follow it. So of prefixes of which none covers another, the last one before a key decides. */
function createCover({ prefixes }: PrefixSet<unknown>): (key: string) => boolean {
  const widest: string[] = [];
  for (const key of prefixes.map((prefix) => prefix.key).toSorted()) {
    const last = widest.at(-1);
    if (last === undefined || !key.startsWith(last)) widest.push(key);
  }
  return (key) => {
    let [low, high] = [0, widest.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((widest[middle] ?? "") <= key) low = middle + 1;
      else high = middle;
    }
    const last = widest[low - 1];
    return last !== undefined && key.startsWith(last);
  };
}
