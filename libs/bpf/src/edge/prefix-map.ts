// SPDX-License-Identifier: Apache-2.0

import { ok, type Result } from "@rthooks/result";
import type { BpfError } from "../core/bpf-error.ts";
import type { MapUse } from "../core/map-use.ts";
import { decodePrefix, encodePrefix, type Prefix } from "../core/prefix.ts";
import { createPrefixTable, type PrefixEntry, type PrefixMatch } from "../core/prefix-table.ts";
import { decodeRuleSet, encodeRuleSet } from "../core/rule-layout.ts";
import type { BpfMap } from "./bpf-map.ts";
import { readEntries } from "./read-entries.ts";

/** A map of rules by prefix, and a copy of its content. */
export interface PrefixMap {
  /** Makes the rule match these values of the facet and no others. After an error some may be missing. */
  put(rule: number, match: PrefixMatch): Result<void, BpfError>;
  remove(rules: ReadonlySet<number>): Result<void, BpfError>;
  /** Rules that match anything. */
  rules(): ReadonlySet<number>;
  /** Whether there are entries that no rule needs. */
  hasRedundant(): boolean;
  fill(): MapUse;
}

/** `whole`: a prefix of any facet of the map. */
export function openPrefixMap(map: BpfMap, whole: (facet: number) => Prefix): Result<PrefixMap, BpfError> {
  const entries = readEntries(map);
  if (!entries.ok) return entries;
  const { length } = whole(0).bytes;
  const table = createPrefixTable();
  for (const [key, value] of entries.value)
    table.set({ prefix: decodePrefix(key, length), rules: decodeRuleSet(value) });

  const write = (puts: Iterable<PrefixEntry>): Result<void, BpfError> => {
    for (const entry of puts) {
      const done = map.update(encodePrefix(entry.prefix, map.info.keySize), encodeRuleSet(entry.rules));
      if (!done.ok) return done;
      table.set(entry);
    }
    return ok(undefined);
  };
  const findRedundant = () =>
    table.findRedundant(new Set([...table.entries()].map(({ prefix }) => prefix.bytes[0] ?? 0)));
  const removeRedundant = (): Result<void, BpfError> => {
    for (const prefix of findRedundant()) {
      const done = map.delete(encodePrefix(prefix, map.info.keySize));
      if (!done.ok) return done;
      table.delete(prefix);
    }
    return ok(undefined);
  };

  return ok({
    put: (rule, match) => write(table.findPuts(rule, match, whole(match.facet))),
    remove(rules) {
      const written = write(table.findClears(rules));
      return written.ok ? removeRedundant() : written;
    },
    hasRedundant: () => findRedundant().length > 0,
    fill: () => ({ entries: table.size(), capacity: map.info.maxEntries }),
    rules: () => new Set([...table.entries()].flatMap((entry) => [...entry.rules])),
  });
}
