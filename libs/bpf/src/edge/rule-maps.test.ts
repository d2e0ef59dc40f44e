// SPDX-License-Identifier: Apache-2.0
// An observer of the kernel's maps sees a change of rules completely or not at all, after whichever step it looks.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { KernelRule, RuleFilters } from "@rthooks/policy";
import { ok } from "@rthooks/result";
import { must } from "@rthooks/result/must";
import type { PlacedRule } from "../core/placed-rule.ts";
import { encodePrefix, type Prefix, toAddressPrefix, toNumberPrefix, toTextPrefix } from "../core/prefix.ts";
import {
  decodeCurrent,
  decodeRuleSet,
  decodeTable,
  encodeRuleSet,
  type RuleSet,
  tableBytes,
} from "../core/rule-layout.ts";
import type { openProgramWait } from "./await-programs.ts";
import type { BpfMap } from "./bpf-map.ts";
import { createPinnedSets } from "./pinned-sets.fixture.ts";
import type { ProgramSet } from "./program-set.ts";
import { readEntries } from "./read-entries.ts";
import { openRuleMaps, type RuleMaps } from "./rule-maps.ts";

const { openSet, mount, unmount } = createPinnedSets();
beforeAll(mount);
afterAll(unmount);

/** No program is attached. */
const noWait: ReturnType<typeof openProgramWait> = ok(() => ok(undefined));

/** Maps of which `step` is told each change before it is made; the change is not made if it says no. */
function openWatched(set: ProgramSet, step: () => boolean, wait = noWait): RuleMaps {
  const guard =
    <A extends readonly unknown[], T>(change: (...words: A) => T) =>
    (...words: A) =>
      step() ? change(...words) : { ok: false as const, error: dead };
  const wrap = (map: BpfMap): BpfMap => ({ ...map, update: guard(map.update), delete: guard(map.delete) });
  return must(openRuleMaps({ map: (name) => wrap(set.map(name)) }, wait));
}
const dead = { command: "MAP_UPDATE_ELEM", subject: "", code: "EIO", message: "dead", hint: "" } as const; // const: a code

const [EXEC, CONNECT] = [1, 2];
const containers = [101n, 102n, 103n];
const paths = ["/opt/a", "/opt/sub/b", "/opt/sub/b.so", "/usr/c", "/d"];
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
const match = (set: ProgramSet, map: string, prefix: Prefix | undefined): RuleSet => {
  if (prefix === undefined) throw new Error("no prefix");
  return readSet(set, map, encodePrefix(prefix, set.map(map).info.keySize));
};

/** The rules that decide each event, as the programs find them. */
function observe(set: ProgramSet): Readonly<Record<string, readonly number[]>> {
  const { version } = decodeCurrent(
    must(set.map("current_rules").lookup(new Uint8Array(4))) ?? new Uint8Array(16),
  );
  const table = decodeTable(
    must(set.map("rule_tables").lookup(toKey(BigInt(version), 4))) ?? new Uint8Array(tableBytes),
  );
  const keep = (filtering: RuleSet | undefined, matching: RuleSet) => (rule: number) =>
    !filtering?.has(rule) || matching.has(rule);
  const events = [
    ...paths.map((path) => ({
      ...{ name: path, hook: EXEC },
      filters: [
        keep(table.texts[0], match(set, "text_filters", toTextPrefix(0, path, "exact"))),
        keep(table.endings[0], match(set, "text_endings", toTextPrefix(0, path, "postfix"))),
      ],
    })),
    ...targets.map(([address, port]) => ({
      ...{ name: `${address} ${port}`, hook: CONNECT },
      filters: [
        keep(table.addresses[0], match(set, "address_filters", toAddressPrefix(0, address))),
        keep(table.numbers[5], match(set, "number_filters", toNumberPrefix(5, BigInt(port), 64))),
      ],
    })),
  ];
  return Object.fromEntries(
    [...containers, 0n].flatMap((id) => {
      const own = id === 0n ? table.host : readSet(set, "container_rules", toKey(id, 8));
      return events.map(({ name, hook, filters }) => {
        const ofHook = readSet(set, "hook_rules", toKey(BigInt(hook), 4));
        const matching = [...table.active].filter(
          (rule) => own.has(rule) && ofHook.has(rule) && filters.every((filter) => filter(rule)),
        );
        const first = matching.filter((rule) => {
          let earlier = rule;
          while (table.follows.has(earlier)) if (matching.includes(--earlier)) return false;
          return true;
        });
        return [`${id} ${name}`, first.map((rule) => (table.enforcing.has(rule) ? rule : -rule))];
      });
    }),
  );
}

/** All that is in the maps of filters, without what an array always has. */
const dump = (set: ProgramSet): readonly string[] =>
  ["container_rules", "hook_rules", "number_filters", "mask_filters", "text_filters", "text_endings"]
    .concat("address_filters")
    .flatMap((name) =>
      must(readEntries(set.map(name)))
        .map(([key, value]) => `${name} ${key.toHex()} ${[...decodeRuleSet(value)].toSorted()}`)
        .filter((line) => name === "container_rules" || !/ $/.test(line)),
    )
    .toSorted();

const noFilters: RuleFilters = { numbers: [], comparisons: [], texts: [], addresses: [] };
const members = new Set([101n, 102n]);
function place(
  number: number,
  kind: "exec" | "connect",
  filters: Partial<RuleFilters>,
  change: Partial<PlacedRule> = {},
): PlacedRule {
  const rule: KernelRule = {
    ...{ hooks: [{ kind }], filters: { ...noFilters, ...filters }, posts: true, rateLimit: undefined },
    effects: [{ kind: "kill" }],
  };
  return {
    ...{ number, rule, hookIds: new Set([kind === "exec" ? EXEC : CONNECT]), follows: false, host: false },
    ...{ cgroupIds: members, enforces: true, owner: { key: `key ${number}`, digest: "one" } },
    ...change,
  };
}
const prefix = (values: readonly string[], isNegated = false): Partial<RuleFilters> => ({
  texts: [{ facet: "arg0", match: "prefix", values, isNegated }],
});
const target = (blocks: readonly string[], ports: readonly bigint[], isNegated: boolean) => ({
  addresses: [{ facet: "destination" as const, blocks, isNegated }],
  numbers: ports.length === 0 ? [] : [{ facet: "destinationPort" as const, values: ports, isNegated: false }],
});
const ending = (value: string): Partial<RuleFilters> => ({
  texts: [
    { facet: "arg0", match: "postfix", values: [value], isNegated: false },
    { facet: "arg0", match: "prefix", values: ["/opt/"], isNegated: false },
  ],
});

/** Of the policies that are there from the beginning. */
const first = [
  place(1, "exec", prefix(["/opt/"]), { cgroupIds: new Set([101n, 103n]) }),
  place(2, "connect", target(["10.0.0.0/8"], [80n, 443n], false)),
  place(3, "exec", prefix(["/usr/"]), { host: true, enforces: false }),
];
/** The policy that comes, is replaced and goes: two selectors of one hook, and one of another. */
const before = [
  place(100, "exec", ending(".so")),
  place(101, "exec", prefix(["/opt/sub/", "/d"]), { follows: true, host: true }),
  place(102, "connect", target(["10.1.0.0/16", "fd00::/8"], [443n], false)),
];
const after = [
  place(64, "exec", prefix(["/usr/"], true)),
  place(65, "exec", prefix(["/"]), { follows: true }),
  place(110, "connect", target(["10.0.0.0/16"], [], true), { enforces: false }),
];
const numbersOf = (rules: readonly PlacedRule[]) => rules.map(({ number }) => number);

function prepare(...policies: readonly (readonly PlacedRule[])[]): ProgramSet {
  const set = openSet();
  const rules = must(openRuleMaps(set, noWait));
  for (const id of containers) must(rules.putContainer(id, 3, new Set()));
  for (const policy of policies) must(rules.change(policy, []));
  return set;
}

const changes = [
  { name: "added", from: [], to: before },
  { name: "replaced", from: before, to: after },
  { name: "replaced by the former one", from: after, to: before },
  { name: "deleted", from: before, to: [] },
] as const;

describe.each(changes)("a policy that is $name", ({ from, to }) => {
  let start: readonly string[];
  let end: readonly string[];
  let old: ReturnType<typeof observe>;
  let next: ReturnType<typeof observe>;
  beforeAll(() => {
    const [unchanged, changed] = [prepare(first, from), prepare(first, to)];
    [start, end] = [dump(unchanged), dump(changed)];
    [old, next] = [observe(unchanged), observe(changed)];
    unchanged.close();
    changed.close();
  });

  test("changes what is in force in one step", () => {
    expect(old).not.toEqual(next);
    const set = prepare(first, from);
    let switches = 0;
    let now = old;
    const rules = openWatched(set, () => {
      const seen = observe(set);
      if (JSON.stringify(seen) !== JSON.stringify(now)) {
        expect(seen).toEqual(next);
        switches++;
        now = next;
      }
      return true;
    });
    must(rules.change(to, numbersOf(from)));
    expect(observe(set)).toEqual(next);
    expect(switches).toBeLessThanOrEqual(1);
    expect(dump(set)).toEqual(end);
    set.close();
  });

  test("is in force completely or not at all, wherever the process dies; the next one leaves nothing of the rest", () => {
    for (let fuse = 0; ; fuse++) {
      const set = prepare(first, from);
      let left = fuse;
      const rules = openWatched(set, () => left-- > 0);
      rules.change(to, numbersOf(from));
      if (left >= 0) {
        expect(fuse).toBeGreaterThan(3);
        set.close();
        return;
      }
      const seen = observe(set);
      const isDone = JSON.stringify(seen) === JSON.stringify(next);
      expect(seen).toEqual(isDone ? next : old);
      must(openRuleMaps(set, noWait));
      expect(observe(set)).toEqual(isDone ? next : old);
      expect(dump(set)).toEqual(isDone ? end : start);
      // A later rule with one of these numbers has no filter of the ended rule.
      const adopted = must(openRuleMaps(set, noWait));
      if (!isDone) must(adopted.change(to, numbersOf(from)));
      expect(observe(set)).toEqual(next);
      set.close();
    }
  });

  test("is as before after an error, with nothing left of the rest", () => {
    for (let failing = 0; ; failing++) {
      const set = prepare(first, from);
      let [step, failed] = [0, false];
      // One change fails; those that take the others back do not.
      const rules = openWatched(set, () => {
        if (step++ !== failing) return true;
        failed = true;
        return false;
      });
      const done = rules.change(to, numbersOf(from));
      if (!failed) {
        set.close();
        return;
      }
      const isDone = done.ok;
      expect(observe(set)).toEqual(isDone ? next : old);
      expect(rules.active()).toEqual(new Set([...numbersOf(first), ...numbersOf(isDone ? to : from)]));
      if (!isDone) expect(dump(set)).toEqual(start);
      set.close();
    }
  });
});

test("rules change between having effects and counting in one step", () => {
  const set = prepare(first, before);
  const old = observe(set);
  const seen = new Set<string>();
  const rules = openWatched(set, () => {
    seen.add(JSON.stringify(observe(set)));
    return true;
  });
  must(rules.setEnforcing(numbersOf(before), false));
  const now = observe(set);
  expect(now["101 /d"]).toEqual([-101]);
  expect([...seen].every((text) => text === JSON.stringify(old) || text === JSON.stringify(now))).toBe(true);
  must(rules.setEnforcing(numbersOf(before), true));
  expect(observe(set)).toEqual(old);
  set.close();
});

test("the next process knows the rules, their owners and the containers", () => {
  const set = prepare(first, before);
  const rules = must(openRuleMaps(set, noWait));
  expect(rules.active()).toEqual(new Set([1, 2, 3, 100, 101, 102]));
  expect(rules.owners().get(101)).toEqual({ key: "key 101", digest: "one" });
  expect(rules.containers()).toEqual(
    new Map([
      [101n, new Set([1, 2, 3, 100, 101, 102])],
      [102n, new Set([2, 3, 100, 101, 102])],
      [103n, new Set([1])],
    ]),
  );
  set.close();
});

test("a map that is full refuses a policy, and nothing of it is left", () => {
  const set = prepare(first);
  const old = { seen: observe(set), dump: dump(set) };
  const rules = must(openRuleMaps(set, noWait));
  const many = (tag: string) =>
    place(7, "exec", {
      texts: [
        {
          ...{ facet: "arg0", match: "exact", isNegated: false },
          values: Array.from({ length: 9_000 }, (_, at) => `/${tag}/${at}`),
        },
      ],
    });
  must(rules.change([many("a")], []));
  const entries = must(readEntries(set.map("text_filters"))).length;
  expect(entries).toBeGreaterThan(9_000);
  expect(rules.fill().get("text_filters")).toEqual({ entries, capacity: 16_384 });
  const full = observe(set);
  const done = rules.change([{ ...many("b"), number: 8 }, place(9, "exec", prefix(["/d"]))], []);
  expect(done).toMatchObject({ ok: false });
  expect(observe(set)).toEqual(full);
  expect(rules.active()).toEqual(new Set([1, 2, 3, 7]));
  // There is room again, as soon as the other policy goes.
  must(rules.change([], [7]));
  expect({ seen: observe(set), dump: dump(set) }).toEqual(old);
  must(rules.change([many("b")], []));
  must(rules.change([], [7]));
  expect(dump(set)).toEqual(old.dump);
  set.close();
});

test("the maps are not written while a program may still work with a rule that has ended", () => {
  const set = prepare(first);
  let [waits, written] = [0, 0];
  // The first wait is that for the table which the removal overwrites.
  const wait = ok(() => (waits++ === 0 ? ok(undefined) : { ok: false as const, error: dead }));
  const rules = openWatched(set, () => ++written > 0, wait);
  must(rules.change([], [1]));
  const before = written;
  expect(rules.change([place(1, "exec", {})], []).ok).toBe(false);
  expect(written).toBe(before);
  set.close();
});

test("for what is not a container a rule is not in force", () => {
  const set = prepare(first);
  must(must(openRuleMaps(set, noWait)).change([place(100, "exec", {}, { cgroupIds: new Set([999n]) })], []));
  expect(readSet(set, "container_rules", toKey(999n, 8))).toEqual(new Set());
  set.close();
});

test("mistakes of the caller throw", () => {
  const set = prepare(first);
  const rules = must(openRuleMaps(set, noWait));
  expect(() => rules.change([place(1, "exec", {})], [])).toThrow("rule 1 is in force");
  expect(() => rules.change([], [50])).toThrow("rule 50 is not in force");
  expect(() => rules.change([place(256, "exec", {})], [])).toThrow("no rule number");
  expect(() => rules.change([place(64, "exec", {}, { follows: true })], [])).toThrow("rule 64 follows");
  set.close();
});

test("what cannot be compared is refused with a line", () => {
  const set = prepare();
  const rules = must(openRuleMaps(set, noWait));
  const refuse = (filters: Partial<RuleFilters>): string => {
    const done = rules.change([place(1, "exec", filters)], []);
    return done.ok ? "" : done.error;
  };
  expect(refuse(prefix(["a".repeat(256)]))).toStartWith("not a text of less than 255 bytes: aaa");
  expect(refuse({ addresses: [{ facet: "source", blocks: ["10.0.0.0/33"], isNegated: false }] })).toBe(
    "not an address: 10.0.0.0/33",
  );
  const mask = { facet: "arg1", operator: "mask", isSigned: false, values: [1n] } as const;
  expect(refuse({ comparisons: [mask, mask] })).toBe("two masks for arg1: the programs compare one");
  set.close();
});

test("containers can be at eight different levels, and no more", () => {
  const set = openSet();
  const rules = must(openRuleMaps(set, noWait));
  for (let level = 1; level <= 8; level++) must(rules.putContainer(BigInt(level), level, new Set()));
  expect(rules.putContainer(9n, 9, new Set())).toEqual({
    ok: false,
    error: "containers at more than 8 different levels of the cgroup hierarchy",
  });
  must(rules.putContainer(10n, 8, new Set()));
  expect(decodeRuleSet(encodeRuleSet([]))).toEqual(new Set());
  set.close();
});
