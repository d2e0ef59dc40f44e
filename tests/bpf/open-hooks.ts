// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  type HookPrograms,
  openHookPrograms,
  openProgramSet,
  openRuleMaps,
  type PlacedRule,
  type RuleMaps,
} from "@rthooks/bpf";
import { embeddedPrograms } from "@rthooks/bpf/embedded-programs";
import type { ArgumentReading, HookArgument, HookPoint, KernelRule, RuleFilters } from "@rthooks/policy";
import { must } from "@rthooks/result/must";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { findCgroupDirectory, readCgroupId, removeCgroup } from "../harness/cgroup.ts";
import { runInCgroup } from "../harness/enter-cgroup.ts";
import type { Workspace } from "../harness/workspace.ts";
import { LEVEL } from "./open-enforcement.ts";

/** Programs for hooks of this kernel, and two cgroups that they know as containers. */
export interface Hooks {
  /** Of the pins. */
  readonly directory: string;
  readonly container: string;
  /** Another container. */
  readonly neighbour: string;
  readonly hooks: HookPrograms;
  readonly rules: RuleMaps;
  /** As the next agent opens them. */
  open(): HookPrograms;
  /**
   * Attaches the hook, unless it is the number of one, and brings a rule into force that kills processes of the container.
   * `except`: of an earlier selector.
   */
  kill(hook: HookPoint | number, filters: Partial<RuleFilters>, except?: Partial<RuleFilters>): void;
  /** Attaches each hook, and brings rules into force that count its events in the container: the hook's number is the rule's. */
  count(...hooks: readonly HookPoint[]): void;
  /** The counts of these rules. */
  counted(...rules: readonly number[]): readonly bigint[];
  /** Ends all rules, and detaches all programs. */
  reset(): void;
}

/** Ends with the workspace. */
export function openHooks(workspace: Workspace, bpfFs = mountBpfFs(workspace)): Hooks {
  const cgroupRoot = findCgroupDirectory("/");
  const root = `/rthooks-${workspace.tag}`;
  const [container, neighbour] = [`${root}/container`, `${root}/neighbour`];
  const directory = join(bpfFs, "enforcement");
  for (const path of [container, neighbour]) mkdirSync(cgroupRoot + path, { recursive: true });
  workspace.onClose(() => removeCgroup(root));
  const enforce = must(openProgramSet({ object: embeddedPrograms(), directory, cgroupRoot }));
  const open = (): HookPrograms => must(openHookPrograms({ directory, cgroupRoot, enforce }));
  const hooks = open();
  const rules: RuleMaps = must(openRuleMaps(enforce));
  for (const path of [container, neighbour]) must(rules.putContainer(readCgroupId(path), LEVEL, new Set()));
  workspace.onClose(() => {
    must(hooks.detachUnused([]));
    hooks.close();
    enforce.close();
  });
  return {
    ...{ directory, container, neighbour, hooks, rules, open },
    count(...points) {
      const placed = points.map(
        (hook, number): PlacedRule => ({
          ...{
            number,
            hookIds: new Set([must(hooks.attach(hook))]),
            follows: false,
            host: false,
            enforces: true,
          },
          cgroupIds: new Set([readCgroupId(container)]),
          rule: { ...{ hooks: [hook], filters: noFilters, effects: [], posts: true }, rateLimit: undefined },
          owner: { key: "count", digest: "" },
        }),
      );
      must(rules.change(placed, []));
    },
    counted: (...numbers) => numbers.map((number) => must(rules.counts(number)).post),
    kill(hook, filters, except) {
      const hookIds = new Set([typeof hook === "number" ? hook : must(hooks.attach(hook))]);
      const cgroupIds = new Set([readCgroupId(container)]);
      const place = (
        number: number,
        own: Partial<RuleFilters>,
        effects: KernelRule["effects"],
      ): PlacedRule => ({
        ...{ number, hookIds, cgroupIds, follows: number > FIRST_RULE, host: false, enforces: true },
        rule: {
          ...{ hooks: [], filters: { ...noFilters, ...own }, effects },
          ...{ posts: effects.length > 0, rateLimit: undefined },
        },
        owner: { key: "rule", digest: "" },
      });
      const earlier = except === undefined ? [] : [place(FIRST_RULE, except, [])];
      must(rules.change([...earlier, place(FIRST_RULE + earlier.length, filters, [{ kind: "kill" }])], []));
    },
    reset() {
      must(rules.change([], [...rules.active()]));
      must(hooks.detachUnused([]));
    },
  };
}

const FIRST_RULE = 7;
const noFilters: RuleFilters = { numbers: [], comparisons: [], texts: [], addresses: [] };

export const arg = (index: number, reading: ArgumentReading, sizeIndex?: number): HookArgument =>
  sizeIndex === undefined ? { index, reading } : { index, reading, sizeIndex };
export const at = (subsystem: string, event: string, ...args: readonly HookArgument[]): HookPoint => ({
  ...{ kind: "tracepoint", subsystem, event, args },
});
export const call = (name: string, ...args: readonly HookArgument[]): HookPoint =>
  at("syscalls", `sys_enter_${name}`, ...args);

export const text = (
  facet: "arg0" | "arg1",
  match: "exact" | "prefix" | "postfix",
  value: string,
  isNegated = false,
) => ({ texts: [{ facet, match, values: [value], isNegated }] });
export const equals = (facet: "arg0" | "arg1", value: bigint) => ({
  numbers: [{ facet, values: [value], isNegated: false }],
});

const head = "import ctypes, mmap, os, signal, sys, time\nlibc = ctypes.CDLL(None)\n";
/** Python: `edge` is where these bytes are the last before memory that cannot be read. */
export const atPageEnd = `
page = mmap.mmap(-1, 2 * mmap.PAGESIZE)
base = ctypes.addressof(ctypes.c_char.from_buffer(page))
libc.mprotect(ctypes.c_void_p(base + mmap.PAGESIZE), mmap.PAGESIZE, 0)
def edge(data):
    ctypes.memmove(base + mmap.PAGESIZE - len(data), data, len(data))
    return ctypes.c_void_p(base + mmap.PAGESIZE - len(data))
`;
/** A program in Python that writes "end" at its end. */
export const toProgram = (script: string): readonly string[] => [
  "python3",
  "-c",
  `${head}${script}\nprint("end")`,
];

/** "SIGKILL", or what the program wrote. */
export function run(cgroup: string, script: string): string {
  const { signal, stdout, stderr } = runInCgroup(cgroup, toProgram(script));
  if (stderr !== "") throw new Error(stderr);
  return signal === "" ? stdout.trim() : signal;
}
