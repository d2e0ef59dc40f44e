// SPDX-License-Identifier: Apache-2.0

import { ok, type Result } from "@rthooks/result";
import type { BpfError } from "../core/bpf-error.ts";
import { decodeRuleSet, encodeRuleSet, type RuleSet } from "../core/rule-layout.ts";
import type { BpfMap } from "./bpf-map.ts";
import { readEntries } from "./read-entries.ts";

/** A hash of rule sets by a number, and a copy of its content. */
export interface RuleSetMap {
  set(key: bigint, rules: RuleSet): Result<void, BpfError>;
  delete(key: bigint): Result<void, BpfError>;
  /** Puts the rule into the sets of these keys and takes it out of all others. */
  put(rule: number, keys: ReadonlySet<bigint>): Result<void, BpfError>;
}

/**
 * `areKeysFixed`: keys come and go by `set` and `delete` alone, and `put` ignores others. Else an entry is there as long as
 * it has rules.
 */
export function openRuleSetMap(map: BpfMap, areKeysFixed: boolean): Result<RuleSetMap, BpfError> {
  const entries = readEntries(map);
  if (!entries.ok) return entries;
  const copy = new Map(entries.value.map(([key, value]) => [toNumber(key), decodeRuleSet(value)]));

  const set: RuleSetMap["set"] = (key, rules) => {
    const done = map.update(toKey(key, map.info.keySize), encodeRuleSet(rules));
    if (done.ok) copy.set(key, new Set(rules));
    return done;
  };
  const remove: RuleSetMap["delete"] = (key) => {
    const done = map.delete(toKey(key, map.info.keySize));
    if (!done.ok) return done;
    copy.delete(key);
    return ok(undefined);
  };
  return ok({
    set,
    delete: remove,
    put(rule, keys) {
      for (const [key, rules] of [...copy]) {
        if (rules.has(rule) === keys.has(key)) continue;
        const others = [...rules].filter((one) => one !== rule);
        const changed = keys.has(key) ? [...others, rule] : others;
        const done = changed.length === 0 && !areKeysFixed ? remove(key) : set(key, new Set(changed));
        if (!done.ok) return done;
      }
      for (const key of keys) {
        const done = copy.has(key) || areKeysFixed ? ok(undefined) : set(key, new Set([rule]));
        if (!done.ok) return done;
      }
      return ok(undefined);
    },
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
