// SPDX-License-Identifier: Apache-2.0
// Rules in the maps of bpf/rule-maps.h (docs/adr/0022).

import { err, ok, type Result } from "@rthooks/result";
import { type BpfError, renderBpfError } from "../core/bpf-error.ts";
import { inTurn } from "../core/in-turn.ts";
import type { MapUse } from "../core/map-use.ts";
import { compileRule, type PlacedRule, withoutRules, withRule } from "../core/placed-rule.ts";
import type { CompiledFilters } from "../core/rule-filters.ts";
import { LEVELS, RULES, type RuleCounts, type RuleSet } from "../core/rule-layout.ts";
import type { RuleOwner } from "../core/rule-owner.ts";
import { openProgramWait } from "./await-programs.ts";
import type { ProgramSet } from "./program-set.ts";
import { openRuleFilters } from "./rule-filter-maps.ts";
import { openRuleRecords } from "./rule-records.ts";
import { openRuleSetMap } from "./rule-set-map.ts";
import { openRuleTables } from "./rule-tables.ts";

/** Errors are one line. */
export interface RuleMaps {
  /** Rules that are in force, those of an earlier process included. */
  active(): RuleSet;
  owners(): ReadonlyMap<number, RuleOwner>;
  /**
   * Brings `added` into force and ends `removed`, in one step for every process. After an error the rules are as before.
   * Afterwards the numbers of `removed` may be given out again: no program is at work with them.
   */
  change(added: readonly PlacedRule[], removed: readonly number[]): Result<void, string>;
  /** Changes whether rules have their effects or only count them, in one step. */
  setEnforcing(numbers: readonly number[], enforces: boolean): Result<void, string>;
  /** `level`: of its root cgroup, 1 being directly below the root. Its nested cgroups follow it. */
  putContainer(cgroupId: bigint, level: number, rules: RuleSet): Result<void, string>;
  removeContainer(cgroupId: bigint): Result<void, string>;
  /** All known containers by their ids, with the rules about them. */
  containers(): ReadonlyMap<bigint, RuleSet>;
  counts(number: number): Result<RuleCounts, string>;
  /** By the names of the maps that can become full. */
  fill(): ReadonlyMap<string, MapUse>;
}

/** The kernel takes any level, and a byte holds it. */
const MAX_LEVEL = 255;

/**
 * Takes over what the maps contain, and removes what an earlier process left of a change that it did not finish.
 * `programWait`: what waits for programs that are at work.
 */
export function openRuleMaps(
  { map }: Pick<ProgramSet, "map">,
  programWait = openProgramWait(),
): Result<RuleMaps, string> {
  if (!programWait.ok) return programWait;
  const containers = openRuleSetMap(map("container_rules"));
  if (!containers.ok) return err(renderBpfError(containers.error));
  const filters = openRuleFilters(map);
  if (!filters.ok) return err(renderBpfError(filters.error));
  const tables = openRuleTables(map, programWait.value);
  if (!tables.ok) return err(renderBpfError(tables.error));
  const opened = { containers: containers.value, filters: filters.value, tables: tables.value };
  const maps = toRuleMaps({ ...opened, records: openRuleRecords(map) });
  const cleaned = maps.removeLeftovers();
  return cleaned.ok ? ok(maps) : cleaned;
}

interface Opened {
  readonly containers: ReturnType<typeof openRuleSetMap> extends Result<infer T, unknown> ? T : never;
  readonly filters: ReturnType<typeof openRuleFilters> extends Result<infer T, unknown> ? T : never;
  readonly tables: ReturnType<typeof openRuleTables> extends Result<infer T, unknown> ? T : never;
  readonly records: ReturnType<typeof openRuleRecords>;
}

function toRuleMaps({ containers, filters, tables, records }: Opened): RuleMaps & {
  removeLeftovers(): Result<void, string>;
} {
  const active = (): RuleSet => tables.table().active;

  /** What the maps have for rules that are not in force. */
  const clear = (numbers: ReadonlySet<number>): Result<void, BpfError> =>
    inTurn(
      () => containers.remove(numbers),
      () => filters.remove(numbers),
    );
  const removeLeftovers = (): Result<void, BpfError> => {
    const written = new Set([...containers.rules(), ...filters.rules()]);
    const left = written.difference(active());
    if (left.size === 0 && !filters.hasLeftovers()) return ok(undefined);
    // An earlier process may have ended the rules a moment ago.
    return inTurn(tables.wait, () => clear(left));
  };
  const write = (placed: PlacedRule, compiled: CompiledFilters): Result<void, BpfError> =>
    inTurn(
      () => filters.put(placed, compiled),
      () => containers.put(placed.number, placed.cgroupIds),
    );

  return {
    active,
    owners: () => new Map([...active()].map((number) => [number, records.owner(number)])),
    change(added, removed) {
      check(added, removed, active());
      const compiled: (readonly [PlacedRule, CompiledFilters])[] = [];
      for (const placed of added) {
        const one = compileRule(placed);
        if (!one.ok) return one;
        compiled.push([placed, one.value]);
      }
      const numbers = new Set(added.map(({ number }) => number));
      const gone = new Set(removed);
      let next = withoutRules(tables.table(), gone);
      for (const [placed, one] of compiled) next = withRule(next, placed, one);
      // A program may still work with a rule that had one of these numbers.
      const free = toLine(tables.wait());
      if (!free.ok) return free;
      const done = inTurn(
        ...compiled.map(
          ([placed, one]) =>
            () =>
              toLine(write(placed, one)),
        ),
        ...compiled.map(
          ([placed]) =>
            () =>
              records.put(placed),
        ),
        () => toLine(tables.put(next)),
      );
      if (!done.ok) {
        // What cannot be taken back now means nothing, and goes with the next leftovers.
        clear(numbers);
        return done;
      }
      // The rules are in force and ended. What is left of the ended ones means nothing either.
      if (gone.size > 0 && tables.wait().ok) clear(gone);
      return ok(undefined);
    },
    setEnforcing(numbers, enforces) {
      const now = tables.table();
      const changed = new Set(numbers);
      const enforcing = enforces ? now.enforcing.union(changed) : now.enforcing.difference(changed);
      return toLine(tables.put({ ...now, enforcing }));
    },
    putContainer(cgroupId, level, rules) {
      if (level < 1 || level > MAX_LEVEL) return err(`level ${level} of the cgroup hierarchy is too deep`);
      const levels = new Set([...tables.levels(), level]);
      if (levels.size > LEVELS)
        return err(`containers at more than ${LEVELS} different levels of the cgroup hierarchy`);
      return toLine(
        inTurn(
          () => (tables.levels().has(level) ? ok(undefined) : tables.putLevels(levels)),
          () => containers.set(cgroupId, rules),
        ),
      );
    },
    removeContainer: (cgroupId) => toLine(containers.delete(cgroupId)),
    containers: containers.content,
    counts: records.counts,
    fill: () => new Map([["container_rules", containers.fill()], ...filters.fill()]),
    removeLeftovers: () => toLine(removeLeftovers()),
  };
}

/** Throws for what only a mistake in this program can cause. */
function check(added: readonly PlacedRule[], removed: readonly number[], active: RuleSet): void {
  for (const { number, follows } of added) {
    if (active.has(number)) throw new RangeError(`rule ${number} is in force`);
    if (!Number.isInteger(number) || number < 0 || number >= RULES)
      throw new RangeError(`no rule number: ${number}`);
    if (follows && number % 64 === 0) throw new RangeError(`rule ${number} follows one of other 64`);
  }
  for (const number of removed)
    if (!active.has(number)) throw new RangeError(`rule ${number} is not in force`);
}

const toLine = (done: Result<void, BpfError>): Result<void, string> =>
  done.ok ? done : err(renderBpfError(done.error));
