// SPDX-License-Identifier: Apache-2.0
// The kernel's side as far as the core sees it, in memory. A step can be made to fail.

import type { PlacedRule, RuleMaps, RuleOwner } from "@rthooks/bpf";
import { err, ok } from "@rthooks/result";
import type { AttachedPrograms } from "./attached-programs.ts";

export interface MemoryKernel {
  readonly maps: RuleMaps;
  readonly hooks: AttachedPrograms;
  /** Owners' keys of the rules that are in force for a container, in the order of their numbers. */
  inForce(cgroupId: bigint): readonly string[];
  /** Owners' keys of the rules that deny. */
  enforcing(): readonly string[];
  programs(): readonly string[];
  /** The next step of this kind fails. */
  fail(step: "change" | "putContainer" | "attach" | "setEnforcing"): void;
}

export function createMemoryKernel(): MemoryKernel {
  const rules = new Map<number, { readonly owner: RuleOwner; enforces: boolean }>();
  const containers = new Map<bigint, Set<number>>();
  const programs = new Map<string, number>();
  const failing = new Set<string>();
  const take = (step: string): boolean => failing.delete(step);
  const failed = err("out of memory");
  const has = (rule: number | PlacedRule): boolean =>
    rules.has(typeof rule === "number" ? rule : rule.number);
  return {
    maps: {
      active: () => new Set(rules.keys()),
      owners: () => new Map([...rules].map(([number, { owner }]) => [number, owner])),
      change(added, removed) {
        if (take("change")) return failed;
        if (added.some(has) || !removed.every(has))
          throw new Error("a number is taken, or a rule is not there");
        for (const number of removed) {
          rules.delete(number);
          for (const numbers of containers.values()) numbers.delete(number);
        }
        for (const { number, owner, enforces, cgroupIds } of added) {
          rules.set(number, { owner, enforces });
          for (const cgroupId of cgroupIds) containers.get(cgroupId)?.add(number);
        }
        return ok(undefined);
      },
      setEnforcing(numbers, enforces) {
        if (take("setEnforcing")) return failed;
        for (const number of numbers) {
          const rule = rules.get(number);
          if (rule !== undefined) rule.enforces = enforces;
        }
        return ok(undefined);
      },
      putContainer(cgroupId, _, numbers) {
        if (take("putContainer")) return failed;
        containers.set(cgroupId, new Set(numbers));
        return ok(undefined);
      },
      removeContainer(cgroupId) {
        containers.delete(cgroupId);
        return ok(undefined);
      },
      containers: () => containers,
      fill: () => new Map(),
      counts: () =>
        ok({ post: 1n, signal: 0n, monitorSignal: 0n, override: 0n, monitorOverride: 0n, nopost: 0n }),
    },
    hooks: {
      async attach(hook) {
        if (take("attach")) return err("refused");
        const text = JSON.stringify(hook);
        const id = programs.get(text) ?? 1 + Math.max(0, ...programs.values());
        programs.set(text, id);
        return ok(id);
      },
      async detachUnused(used) {
        for (const [text, id] of programs) if (!used.has(id)) programs.delete(text);
        return ok(undefined);
      },
      capabilities() {
        throw new Error("the plan is given");
      },
    },
    inForce: (cgroupId) =>
      [...(containers.get(cgroupId) ?? [])]
        .toSorted((one, other) => one - other)
        .flatMap((number) => rules.get(number)?.owner.key ?? []),
    enforcing: () => [...rules.values()].flatMap(({ owner, enforces }) => (enforces ? owner.key : [])),
    programs: () => [...programs.keys()],
    fail: (step) => failing.add(step),
  };
}
