// SPDX-License-Identifier: Apache-2.0

import { ok, type Result } from "@rthooks/result";
import type { BpfError } from "../core/bpf-error.ts";
import { encodeNumber } from "../core/bytes.ts";
import {
  decodeCurrent,
  decodeTable,
  encodeCurrent,
  encodeTable,
  type RuleTable,
  tableBytes,
} from "../core/rule-layout.ts";
import type { BpfMap } from "./bpf-map.ts";

/** The two tables of rules, and which one is in force. */
export interface RuleTables {
  table(): RuleTable;
  /** Puts a table in force, in one step for every program that begins afterwards. */
  put(table: RuleTable): Result<void, BpfError>;
  levels(): ReadonlySet<number>;
  putLevels(levels: ReadonlySet<number>): Result<void, BpfError>;
  /** Until no program works with a table that is not in force. */
  wait(): Result<void, BpfError>;
}

/** At random: so it is another one than those of earlier agents, too. */
const createGeneration = (): bigint => crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n;

export function openRuleTables(
  map: (name: string) => BpfMap,
  waitForPrograms: () => Result<void, BpfError>,
): Result<RuleTables, BpfError> {
  const [current, tables] = [map("current_rules"), map("rule_tables")];
  const state = current.lookup(encodeNumber(0));
  if (!state.ok) return state;
  let now = decodeCurrent(state.value ?? new Uint8Array(16));
  const found = tables.lookup(encodeNumber(now.version));
  if (!found.ok) return found;
  let table = decodeTable(found.value ?? new Uint8Array(tableBytes));
  /** A program may still work with the other table. An earlier process may have put this one in force a moment ago. */
  let isInUse = true;

  const wait = (): Result<void, BpfError> => {
    if (!isInUse) return ok(undefined);
    const done = waitForPrograms();
    if (done.ok) isInUse = false;
    return done;
  };
  /** The entry is copied as a whole, and only one word of it is another one than before. */
  const write = (next: typeof now): Result<void, BpfError> => {
    const done = current.update(encodeNumber(0), encodeCurrent(next));
    if (done.ok) now = next;
    return done;
  };

  return ok({
    table: () => table,
    put(next) {
      const free = wait();
      if (!free.ok) return free;
      const version = 1 - now.version;
      const written = tables.update(encodeNumber(version), encodeTable(next, createGeneration()));
      if (!written.ok) return written;
      const switched = write({ ...now, version });
      if (!switched.ok) return switched;
      isInUse = true;
      table = next;
      return ok(undefined);
    },
    levels: () => now.levels,
    putLevels: (levels) => write({ ...now, levels }),
    wait,
  });
}
