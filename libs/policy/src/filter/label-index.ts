// SPDX-License-Identifier: Apache-2.0

import type { LabelSelector } from "../label-selector.ts";

/** Finds members by label, without a search of all members. */
export interface LabelIndex<T> {
  add(key: string, value: string, member: T): void;
  remove(key: string, value: string, member: T): void;
  find(key: string, value: string): ReadonlySet<T>;
}

export function createLabelIndex<T>(): LabelIndex<T> {
  const keys = new Map<string, Map<string, Set<T>>>();
  const none: ReadonlySet<T> = new Set();
  return {
    add(key, value, member) {
      const values = keys.get(key) ?? new Map<string, Set<T>>();
      keys.set(key, values);
      const members = values.get(value);
      if (members === undefined) values.set(value, new Set([member]));
      else members.add(member);
    },
    remove(key, value, member) {
      const values = keys.get(key);
      const members = values?.get(value);
      if (members?.delete(member) !== true || members.size > 0) return;
      values?.delete(value);
      if (values?.size === 0) keys.delete(key);
    },
    find: (key, value) => keys.get(key)?.get(value) ?? none,
  };
}

/** The members with a label that the selector requires; undefined where it requires no particular label. */
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
