// SPDX-License-Identifier: Apache-2.0
// An observer of the kernel's maps sees a rule in force completely or not at all, whatever step was the last one.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KernelRule } from "../core/kernel-rule.ts";
import {
  decodeEnforcement,
  decodeRuleSet,
  encodePrefix,
  type Prefix,
  type RuleSet,
  toAddressPrefix,
  toPathPrefix,
} from "../core/rule-layout.ts";
import type { BpfMap } from "./bpf-map.ts";
import { embeddedPrograms } from "./embedded-programs.ts";
import { openProgramSet, type ProgramSet } from "./program-set.ts";
import { openRuleMaps, type RuleMaps } from "./rule-maps.ts";

const pins = mkdtempSync(join(tmpdir(), "rth-rules-"));
const run = (...argv: readonly string[]): void => {
  const { exitCode, stderr } = Bun.spawnSync([...argv]);
  if (exitCode !== 0) throw new Error(stderr.toString());
};
beforeAll(() => run("mount", "-t", "bpf", "bpf", pins));
afterAll(() => {
  run("umount", pins);
  rmSync(pins, { recursive: true });
});

function must<T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown },
): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

let count = 0;
function openSet(): ProgramSet {
  const directory = join(pins, `d${++count}`);
  return must(openProgramSet({ object: embeddedPrograms(), directory, cgroupRoot: "/" }));
}

/** The process dies at the change number `fuse`: that one and all later ones are not made. */
function openMapsWithFuse(set: ProgramSet, fuse: number): { readonly rules: RuleMaps; isBurnt(): boolean } {
  let left = fuse;
  const dead = { command: "MAP_UPDATE_ELEM", subject: "", code: "EIO", message: "dead", hint: "" } as const;
  const guard =
    <A extends readonly unknown[], T>(change: (...words: A) => T) =>
    (...words: A) =>
      left-- > 0 ? change(...words) : { ok: false as const, error: dead };
  const wrap = (map: BpfMap): BpfMap => ({ ...map, update: guard(map.update), delete: guard(map.delete) });
  const rules = must(openRuleMaps({ map: (name) => wrap(set.map(name)) }));
  return { rules, isBurnt: () => left < 0 };
}

const containers = [101n, 102n, 103n];
const paths = ["/opt/a", "/opt/sub/b", "/usr/c", "/d"];
const targets = [
  ["10.0.0.1", 80],
  ["10.1.0.1", 80],
  ["10.1.0.1", 443],
  ["fd00::1", 443],
] as const;

const toKey = (number: bigint, bytes: number): Uint8Array =>
  new Uint8Array(new BigUint64Array([number]).buffer).slice(0, bytes);
const readSet = (set: ProgramSet, map: string, key: Uint8Array): RuleSet =>
  decodeRuleSet(must(set.map(map).lookup(key)) ?? new Uint8Array());
/** The kernel finds the longest prefix itself. */
const match = (set: ProgramSet, map: string, prefix: Prefix | undefined): RuleSet =>
  readSet(
    set,
    map,
    prefix === undefined ? new Uint8Array() : encodePrefix({ ...prefix, bits: prefix.bytes.length * 8 }),
  );

/** The rules that hold for each event, as the programs find them. */
function observe(set: ProgramSet): Readonly<Record<string, readonly number[]>> {
  const now = decodeEnforcement(must(set.map("enforcement").lookup(new Uint8Array(4))) ?? new Uint8Array());
  const events = [
    ...paths.map((path) => ({
      name: path,
      sets: [now.exec, match(set, "exec_paths", toPathPrefix(path, "exact"))],
    })),
    ...targets.map(([address, port]) => ({
      name: `${address} ${port}`,
      sets: [
        now.stream,
        match(set, "connect_addresses", toAddressPrefix(address)),
        new Set([...now.anyPort, ...readSet(set, "connect_ports", toKey(BigInt(port), 4))]),
      ],
    })),
  ];
  return Object.fromEntries(
    containers.flatMap((id) => {
      const own = readSet(set, "container_rules", toKey(id, 8));
      return events.map(({ name, sets }) => [
        `${id} ${name}`,
        [...now.active].filter((rule) => [own, ...sets].every((rules) => rules.has(rule))),
      ]);
    }),
  );
}

const exec = (path: string, isNegated = false): KernelRule => ({
  ...{ kind: "exec", paths: [{ path, match: "prefix" }], isNegated, denies: true },
});
const connect = (addresses: readonly string[], ports: readonly number[], isNegated: boolean): KernelRule => ({
  ...{ kind: "connect", addresses, ports, isNegated, sockets: "all", denies: true },
});
const changes: readonly { readonly name: string; readonly rule: KernelRule }[] = [
  { name: "about a path", rule: exec("/opt/sub/") },
  { name: "about all paths but one", rule: exec("/usr/", true) },
  { name: "about addresses and ports", rule: connect(["10.1.0.0/16", "fd00::/8"], [443], false) },
  { name: "about all addresses but a block", rule: connect(["10.0.0.0/16"], [], true) },
];

function prepare(): ProgramSet {
  const set = openSet();
  const rules = must(openRuleMaps(set));
  for (const id of containers) must(rules.putContainer(id, 3, new Set()));
  must(rules.put(1, exec("/opt/"), new Set([101n, 103n])));
  must(rules.put(2, connect(["10.0.0.0/8"], [80, 443], false), new Set([101n, 102n])));
  return set;
}
const members = new Set([101n, 102n]);

describe("a rule", () => {
  test.each([...changes])(
    "$name is in force completely or not at all, wherever its addition ends",
    ({ rule }) => {
      for (let fuse = 0; ; fuse++) {
        const set = prepare();
        const before = observe(set);
        const { rules, isBurnt } = openMapsWithFuse(set, fuse);
        const done = rules.put(100, rule, members);
        if (!isBurnt()) {
          expect(done.ok).toBe(true);
          expect(fuse).toBeGreaterThan(4);
          // It matters to some events, and to none of the container that it is not about.
          const changed = Object.keys(before).filter((event) => observe(set)[event]?.includes(100));
          expect(changed.length).toBeGreaterThan(0);
          expect(changed.filter((event) => event.startsWith("103"))).toEqual([]);
          set.close();
          return;
        }
        expect(observe(set)).toEqual(before);
        // The next process starts with what is there. Another rule under that number takes nothing over from it.
        const next = must(openRuleMaps(set));
        must(next.put(100, exec("/d"), new Set([103n])));
        expect(observe(set)).toEqual({ ...before, "103 /d": [100] });
        must(next.remove(100));
        expect(observe(set)).toEqual(before);
        set.close();
      }
    },
  );

  test.each([...changes])("$name ends at once, wherever its removal ends", ({ rule }) => {
    for (let fuse = 0; ; fuse++) {
      const set = prepare();
      const before = observe(set);
      must(must(openRuleMaps(set)).put(100, rule, members));
      const inForce = observe(set);
      const { rules, isBurnt } = openMapsWithFuse(set, fuse);
      rules.remove(100);
      expect(observe(set)).toEqual(fuse === 0 ? inForce : before);
      if (!isBurnt()) {
        // Nothing is left of it: no entry more than before.
        const clean = prepare();
        for (const map of ["exec_paths", "connect_addresses", "connect_ports", "container_rules"])
          expect(must(set.map(map).keys()).length).toBeLessThanOrEqual(must(clean.map(map).keys()).length);
        clean.close();
        set.close();
        return;
      }
      must(must(openRuleMaps(set)).remove(100));
      expect(observe(set)).toEqual(before);
      set.close();
    }
  });

  test("for what is not a container is for no one", () => {
    const set = prepare();
    must(must(openRuleMaps(set)).put(100, exec("/d"), new Set([999n])));
    expect(readSet(set, "container_rules", toKey(999n, 8))).toEqual(new Set());
    set.close();
  });

  test("in force is not put again", () => {
    const set = prepare();
    expect(() => must(openRuleMaps(set)).put(1, exec("/d"), new Set())).toThrow("rule 1 is in force");
    set.close();
  });
});

test("containers can be at eight different levels, and no more", () => {
  const set = openSet();
  const rules = must(openRuleMaps(set));
  for (let level = 1; level <= 8; level++) must(rules.putContainer(BigInt(level), level, new Set()));
  expect(rules.putContainer(9n, 9, new Set())).toEqual({
    ok: false,
    error: "containers at more than 8 different levels of the cgroup hierarchy",
  });
  must(rules.putContainer(10n, 8, new Set()));
  set.close();
});
