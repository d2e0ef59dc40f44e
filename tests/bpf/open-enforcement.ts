// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openProgramSet, openRuleMaps, type PlacedRule, type ProgramSet, type RuleMaps } from "@rthooks/bpf";
import { embeddedPrograms } from "@rthooks/bpf/embedded-programs";
import type { KernelRule } from "@rthooks/policy";
import { must } from "@rthooks/result/must";
import { mountBpfFs } from "../harness/bpf-fs.ts";
import { findCgroupDirectory, readCgroupId, removeCgroup } from "../harness/cgroup.ts";
import { placeRule } from "../harness/kernel-rules.ts";
import type { Workspace } from "../harness/workspace.ts";

/** The programs attached on this kernel, and cgroups that they know as containers. */
export interface Enforcement {
  /** Above the containers; itself none. */
  readonly root: string;
  readonly container: string;
  /** Another container. */
  readonly neighbour: string;
  /** Three levels below the container. */
  readonly nested: string;
  readonly rules: RuleMaps;
  readonly programs: ProgramSet;
  /** As the next process of an agent opens it. */
  open(): ProgramSet;
  /** Brings a rule into force for the container. */
  put(number: number, rule: KernelRule, change?: Partial<PlacedRule>): void;
  remove(number: number): void;
  removeAll(): void;
  count(number: number): { readonly matched: bigint; readonly denied: bigint };
}

/** Of the containers: one below the workspace's cgroup. */
export const LEVEL = 2;
const programNames = [
  ...["kill_exec", "kill_script", "connect_ipv4", "connect_ipv6", "send_ipv4", "send_ipv6"],
  ...["bind_ipv4", "bind_ipv6"],
];

/** Ends with the workspace. */
export function openEnforcement(workspace: Workspace): Enforcement {
  const root = `/rthooks-${workspace.tag}`;
  const [container, neighbour] = [`${root}/container`, `${root}/neighbour`];
  const nested = `${container}/a/b/c`;
  const directory = join(mountBpfFs(workspace), "enforcement");
  for (const path of [neighbour, nested]) mkdirSync(findCgroupDirectory("/") + path, { recursive: true });
  workspace.onClose(() => removeCgroup(root));
  const open = (): ProgramSet =>
    must(openProgramSet({ object: embeddedPrograms(), directory, cgroupRoot: findCgroupDirectory("/") }));
  const programs = open();
  workspace.onClose(() => {
    for (const name of must(programs.attached())) programs.detach(name);
    programs.close();
  });
  for (const name of programNames) must(programs.attach(name));
  const rules = must(openRuleMaps(programs));
  for (const path of [container, neighbour]) must(rules.putContainer(readCgroupId(path), LEVEL, new Set()));
  return {
    ...{ root, container, neighbour, nested, rules, programs, open },
    put(number, rule, change) {
      must(rules.change([placeRule(number, rule, new Set([readCgroupId(container)]), change)], []));
    },
    remove: (number) => must(rules.change([], [number])),
    removeAll: () => must(rules.change([], [...rules.active()])),
    count(number) {
      const { post, nopost, signal, override } = must(rules.counts(number));
      return { matched: post + nopost, denied: signal + override };
    },
  };
}
