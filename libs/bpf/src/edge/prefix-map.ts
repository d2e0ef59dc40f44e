// SPDX-License-Identifier: Apache-2.0

import { ok, type Result } from "@rthooks/result";
import type { BpfError } from "../core/bpf-error.ts";
import {
  findPuts,
  findRemovals,
  type PrefixEntry,
  type PrefixMatch,
  toPrefixName,
} from "../core/prefix-table.ts";
import { decodePrefix, decodeRuleSet, encodePrefix, encodeRuleSet } from "../core/rule-layout.ts";
import type { BpfMap } from "./bpf-map.ts";
import { readEntries } from "./read-entries.ts";

/** A map of rules by prefix, and a copy of its content. */
export interface PrefixMap {
  /** Makes the rule match these values and no others. After an error some may be missing. */
  put(rule: number, match: PrefixMatch): Result<void, BpfError>;
  remove(rule: number): Result<void, BpfError>;
}

export function openPrefixMap(map: BpfMap): Result<PrefixMap, BpfError> {
  const entries = readEntries(map);
  if (!entries.ok) return entries;
  const table = new Map(
    entries.value.map(([key, value]) => {
      const prefix = decodePrefix(key);
      return [toPrefixName(prefix), { prefix, rules: decodeRuleSet(value) }];
    }),
  );
  const write = (puts: readonly PrefixEntry[]): Result<void, BpfError> => {
    for (const entry of puts) {
      const done = map.update(encodePrefix(entry.prefix), encodeRuleSet(entry.rules));
      if (!done.ok) return done;
      table.set(toPrefixName(entry.prefix), entry);
    }
    return ok(undefined);
  };
  return ok({
    put: (rule, match) => write(findPuts(table, rule, match, map.info.keySize - 4)),
    remove(rule) {
      const { puts, deletions } = findRemovals(table, rule);
      const written = write(puts);
      if (!written.ok) return written;
      for (const prefix of deletions) {
        const done = map.delete(encodePrefix(prefix));
        if (!done.ok) return done;
        table.delete(toPrefixName(prefix));
      }
      return ok(undefined);
    },
  });
}
