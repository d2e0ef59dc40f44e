// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  type HookPrograms,
  openHookPrograms,
  openProgramSet,
  openRuleMaps,
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
  /** As the next agent opens them. */
  open(): HookPrograms;
  /** Attaches the hook, and brings a rule into force that kills processes of the container. */
  kill(hook: HookPoint, filters: Partial<RuleFilters>): void;
  /** Ends all rules, and detaches all programs. */
  reset(): void;
}

/** Ends with the workspace. */
export function openHooks(workspace: Workspace): Hooks {
  const cgroupRoot = findCgroupDirectory("/");
  const root = `/rthooks-${workspace.tag}`;
  const [container, neighbour] = [`${root}/container`, `${root}/neighbour`];
  const directory = join(mountBpfFs(workspace), "enforcement");
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
    ...{ directory, container, neighbour, hooks, open },
    kill(hook, filters) {
      const hookIds = new Set([must(hooks.attach(hook))]);
      const rule: KernelRule = {
        ...{ hooks: [hook], filters: { ...noFilters, ...filters }, effects: [{ kind: "kill" }] },
        ...{ posts: true, rateLimit: undefined },
      };
      const cgroupIds = new Set([readCgroupId(container)]);
      const place = { number: 7, rule, hookIds, cgroupIds, follows: false, host: false, enforces: true };
      must(rules.change([{ ...place, owner: { key: "rule", digest: "" } }], []));
    },
    reset() {
      must(rules.change([], [...rules.active()]));
      must(hooks.detachUnused([]));
    },
  };
}

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
