// SPDX-License-Identifier: Apache-2.0

import type { LabelSelector } from "../label-selector.ts";

/** Who has which label: found without looking at anybody else. */
export interface LabelIndex<T> {
  add(key: string, value: string, who: T): void;
  remove(key: string, value: string, who: T): void;
  find(key: string, value: string): ReadonlySet<T>;
}

export function createLabelIndex<T>(): LabelIndex<T> {
  const keys = new Map<string, Map<string, Set<T>>>();
  const none: ReadonlySet<T> = new Set();
  return {
    add(key, value, who) {
      const values = keys.get(key) ?? new Map<string, Set<T>>();
      keys.set(key, values);
      const members = values.get(value);
      if (members === undefined) values.set(value, new Set([who]));
      else members.add(who);
    },
    remove(key, value, who) {
      const values = keys.get(key);
      const members = values?.get(value);
      if (members?.delete(who) !== true || members.size > 0) return;
      values?.delete(value);
      if (values?.size === 0) keys.delete(key);
    },
    find: (key, value) => keys.get(key)?.get(value) ?? none,
  };
}

/** Everyone who has one of the values that the selector cannot do without; undefined where that narrows nothing. */
export function findCandidates<T>(index: LabelIndex<T>, selector: LabelSelector): ReadonlySet<T> | undefined {
  let best: readonly ReadonlySet<T>[] | undefined;
  const consider = (key: string, values: readonly string[]): void => {
    const sets = [...new Set(values)].map((value) => index.find(key, value));
    if (best === undefined || countAll(sets) < countAll(best)) best = sets;
  };
  for (const [key, value] of selector.matchLabels) consider(key, [value]);
  for (const requirement of selector.matchExpressions) {
    if (requirement.operator === "In") consider(requirement.key, requirement.values);
  }
  if (best === undefined) return undefined;
  const [only, ...others] = best;
  return others.length === 0 ? only : new Set(best.flatMap((set) => [...set]));
}

const countAll = <T>(sets: readonly ReadonlySet<T>[]): number =>
  sets.reduce((total, { size }) => total + size, 0);
