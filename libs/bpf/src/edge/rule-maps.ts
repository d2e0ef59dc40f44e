// SPDX-License-Identifier: Apache-2.0
// Rules in the maps of bpf/enforce.bpf.c (docs/adr/0022).

import { err, ok, type Result } from "@rthooks/result";
import { type BpfError, renderBpfError } from "../core/bpf-error.ts";
import { type KernelRule, toPrefixMatch } from "../core/kernel-rule.ts";
import {
  decodeEnforcement,
  type Enforcement,
  encodeEnforcement,
  LEVELS,
  type RuleSet,
  ruleSetNames,
} from "../core/rule-layout.ts";
import type { BpfMap } from "./bpf-map.ts";
import { openPrefixMap, type PrefixMap } from "./prefix-map.ts";
import type { ProgramSet } from "./program-set.ts";
import { openRuleSetMap, type RuleSetMap } from "./rule-set-map.ts";

export interface RuleCounts {
  readonly matched: bigint;
  readonly denied: bigint;
}

/** Errors are one line. */
export interface RuleMaps {
  /** Rules that are in force, those of an earlier process included. */
  active(): RuleSet;
  /**
   * Brings a rule that is not in force into force, for these containers: at once for all of them, or not at all. Ids that
   * are not of a container are ignored.
   */
  put(number: number, rule: KernelRule, cgroupIds: ReadonlySet<bigint>): Result<void, string>;
  /** Ends a rule at once; then removes what it had in the maps. */
  remove(number: number): Result<void, string>;
  /** Changes whether a rule denies or only counts. */
  setDenying(number: number, denies: boolean): Result<void, string>;
  /** `level`: of its root cgroup, 1 being directly below the root. Its nested cgroups follow it. */
  putContainer(cgroupId: bigint, level: number, rules: RuleSet): Result<void, string>;
  removeContainer(cgroupId: bigint): Result<void, string>;
  counts(number: number): Result<RuleCounts, string>;
}

/** Takes over what the maps contain. */
export function openRuleMaps({ map }: Pick<ProgramSet, "map">): Result<RuleMaps, string> {
  const containers = openRuleSetMap(map("container_rules"), true);
  if (!containers.ok) return err(renderBpfError(containers.error));
  const paths = openPrefixMap(map("exec_paths"));
  if (!paths.ok) return err(renderBpfError(paths.error));
  const addresses = openPrefixMap(map("connect_addresses"));
  if (!addresses.ok) return err(renderBpfError(addresses.error));
  const ports = openRuleSetMap(map("connect_ports"), false);
  if (!ports.ok) return err(renderBpfError(ports.error));
  const state = map("enforcement").lookup(toKey(0));
  if (!state.ok) return err(renderBpfError(state.error));
  return ok(
    toRuleMaps({
      ...{ enforcement: map("enforcement"), counts: map("rule_counts"), containers: containers.value },
      ...{ paths: paths.value, addresses: addresses.value, ports: ports.value },
      found: decodeEnforcement(state.value ?? new Uint8Array()),
    }),
  );
}

interface Opened {
  readonly enforcement: BpfMap;
  readonly counts: BpfMap;
  readonly containers: RuleSetMap;
  readonly paths: PrefixMap;
  readonly addresses: PrefixMap;
  readonly ports: RuleSetMap;
  readonly found: Enforcement;
}

function toRuleMaps({ enforcement, counts, containers, paths, addresses, ports, found }: Opened): RuleMaps {
  let now = found;

  /** Programs see each bit before or after the call, and no other value of it. */
  const write = (next: Enforcement): Result<void, BpfError> => {
    const done = enforcement.update(toKey(0), encodeEnforcement(next));
    if (done.ok) now = next;
    return done;
  };
  const toLine = (done: Result<void, BpfError>): Result<void, string> =>
    done.ok ? done : err(renderBpfError(done.error));
  /** The first failure of steps that are taken one after the other. */
  const inTurn = (...steps: readonly (() => Result<void, BpfError>)[]): Result<void, string> => {
    for (const step of steps) {
      const done = step();
      if (!done.ok) return toLine(done);
    }
    return ok(undefined);
  };
  const resetCounts = (number: number): Result<void, BpfError> =>
    counts.update(toKey(number), new Uint8Array(counts.valueBytes));

  return {
    active: () => now.active,
    put(number, rule, cgroupIds) {
      if (now.active.has(number)) throw new RangeError(`rule ${number} is in force`);
      const match = toPrefixMatch(rule);
      if (!match.ok) return match;
      const ofConnect = rule.kind === "connect" ? rule : undefined;
      return inTurn(
        () => (rule.kind === "exec" ? paths : addresses).put(number, match.value),
        () => ports.put(number, new Set(ofConnect?.ports.map(BigInt))),
        () => containers.put(number, cgroupIds),
        () => resetCounts(number),
        () => write(withRule(now, number, rule)),
        // Programs read this set first.
        () => write({ ...now, active: new Set([...now.active, number]) }),
      );
    },
    remove: (number) =>
      inTurn(
        () => write({ ...now, active: without(now.active, number) }),
        () => write(withoutRule(now, number)),
        () => paths.remove(number),
        () => addresses.remove(number),
        () => ports.put(number, new Set()),
        () => containers.put(number, new Set()),
      ),
    setDenying: (number, denies) =>
      toLine(
        write({ ...now, denying: denies ? new Set([...now.denying, number]) : without(now.denying, number) }),
      ),
    putContainer(cgroupId, level, rules) {
      const levels = new Set([...now.levels, level]);
      if (level < 1 || level > MAX_LEVEL) return err(`level ${level} of the cgroup hierarchy is too deep`);
      if (levels.size > LEVELS)
        return err(`containers at more than ${LEVELS} different levels of the cgroup hierarchy`);
      return inTurn(
        () => (now.levels.has(level) ? ok(undefined) : write({ ...now, levels })),
        () => containers.set(cgroupId, rules),
      );
    },
    removeContainer: (cgroupId) => toLine(containers.delete(cgroupId)),
    counts(number) {
      const found = counts.lookup(toKey(number));
      return found.ok ? ok(addCounts(found.value ?? new Uint8Array())) : err(renderBpfError(found.error));
    },
  };
}

/** The kernel takes any level, and a byte holds it. */
const MAX_LEVEL = 255;
const toKey = (number: number): Uint8Array => new Uint8Array(Uint32Array.of(number).buffer);
const without = (rules: RuleSet, rule: number): RuleSet => new Set([...rules].filter((one) => one !== rule));

/** The sets that say what a rule is about. */
function withRule(now: Enforcement, number: number, rule: KernelRule): Enforcement {
  const put = (rules: RuleSet, isIn: boolean): RuleSet =>
    isIn ? new Set([...rules, number]) : without(rules, number);
  const ofConnect = rule.kind === "connect" ? rule : undefined;
  return {
    ...{ levels: now.levels, active: now.active },
    denying: put(now.denying, rule.denies),
    exec: put(now.exec, rule.kind === "exec"),
    stream: put(now.stream, ofConnect !== undefined && ofConnect.sockets !== "datagram"),
    datagram: put(now.datagram, ofConnect !== undefined && ofConnect.sockets !== "stream"),
    anyPort: put(now.anyPort, ofConnect?.ports.length === 0),
  };
}

function withoutRule(now: Enforcement, number: number): Enforcement {
  const sets = ruleSetNames.map((name) => [name, without(now[name], number)] as const);
  return { ...now, ...Object.fromEntries(sets) };
}

/** Adds up struct rule_count of all processors. */
function addCounts(bytes: Uint8Array): RuleCounts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let [matched, denied] = [0n, 0n];
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    matched += view.getBigUint64(at, true);
    denied += view.getBigUint64(at + 8, true);
  }
  return { matched, denied };
}
