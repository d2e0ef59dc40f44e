// SPDX-License-Identifier: Apache-2.0

import { ok, type Result } from "@rthooks/result";
import type { BpfError } from "../core/bpf-error.ts";
import type { MapUse } from "../core/map-use.ts";
import { decodeRuleSet, encodeRuleSet, type RuleSet } from "../core/rule-layout.ts";
import type { BpfMap } from "./bpf-map.ts";
import { readEntries } from "./read-entries.ts";

/** Rule sets by a number, and a copy of them. */
export interface RuleSetMap {
  set(key: bigint, rules: RuleSet): Result<void, BpfError>;
  delete(key: bigint): Result<void, BpfError>;
  /** Puts the rule into the sets of these keys and takes it out of all others. */
  put(rule: number, keys: ReadonlySet<bigint>): Result<void, BpfError>;
  remove(rules: ReadonlySet<number>): Result<void, BpfError>;
  content(): ReadonlyMap<bigint, RuleSet>;
  /** Rules that are in a set. */
  rules(): ReadonlySet<number>;
  fill(): MapUse;
}

/**
 * In a hash, keys come and go by `set` and `delete` alone, and `put` ignores others. An array has all its keys, and the
 * copy those that have rules.
 */
export function openRuleSetMap(map: BpfMap): Result<RuleSetMap, BpfError> {
  const isArray = map.info.type === "array";
  const entries = readEntries(map);
  if (!entries.ok) return entries;
  const copy = new Map<bigint, RuleSet>();
  for (const [key, value] of entries.value) {
    const rules = decodeRuleSet(value);
    if (!isArray || rules.size > 0) copy.set(toNumber(key), rules);
  }

  const set: RuleSetMap["set"] = (key, rules) => {
    const done = map.update(toKey(key, map.info.keySize), encodeRuleSet(rules));
    if (!done.ok) return done;
    if (isArray && rules.size === 0) copy.delete(key);
    else copy.set(key, new Set(rules));
    return done;
  };

  return ok({
    set,
    delete(key) {
      const done = map.delete(toKey(key, map.info.keySize));
      if (!done.ok) return done;
      copy.delete(key);
      return ok(undefined);
    },
    put(rule, keys) {
      for (const key of new Set([...copy.keys(), ...keys])) {
        const rules = copy.get(key);
        if ((rules === undefined && !isArray) || rules?.has(rule) === keys.has(key)) continue;
        const others = [...(rules ?? [])].filter((one) => one !== rule);
        const done = set(key, new Set(keys.has(key) ? [...others, rule] : others));
        if (!done.ok) return done;
      }
      return ok(undefined);
    },
    remove(gone) {
      for (const [key, rules] of [...copy]) {
        const left = [...rules].filter((rule) => !gone.has(rule));
        const done = left.length === rules.size ? ok(undefined) : set(key, new Set(left));
        if (!done.ok) return done;
      }
      return ok(undefined);
    },
    content: () => new Map(copy),
    fill: () => ({ entries: copy.size, capacity: map.info.maxEntries }),
    rules: () => new Set([...copy.values()].flatMap((rules) => [...rules])),
  });
}

function toKey(key: bigint, bytes: number): Uint8Array {
  return new Uint8Array(BigUint64Array.of(key).buffer, 0, bytes);
}

function toNumber(key: Uint8Array): bigint {
  const bytes = new Uint8Array(8);
  bytes.set(key);
  return new DataView(bytes.buffer).getBigUint64(0, true);
}
