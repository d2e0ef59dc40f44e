// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openProgramSet, openRuleMaps, type ProgramSet } from "@rthooks/bpf";
import { embeddedProcessPrograms, embeddedPrograms } from "@rthooks/bpf/embedded-programs";
import { must } from "@rthooks/result/must";
import { mountBpfFs } from "./bpf-fs.ts";
import { findCgroupDirectory, readCgroupId, removeCgroup } from "./cgroup.ts";
import type { Workspace } from "./workspace.ts";

export interface RecordedContainer {
  /** Of the pinned maps. */
  readonly directory: string;
  /** Cgroup below which processes are recorded, its neighbour, and the parent of both. */
  readonly container: string;
  readonly neighbour: string;
  readonly root: string;
  readonly cgroupId: bigint;
  readonly programs: ProgramSet;
}

const processPrograms = ["tell_exec", "tell_exit", "tell_fork", "tell_cgroup_gone"] as const;

/** A cgroup that the programs know as a container's, with the programs of bpf/process.bpf.c attached. */
export function openRecordedContainer(workspace: Workspace): RecordedContainer {
  const directory = join(mountBpfFs(workspace), "enforcement");
  const root = `/rthooks-${workspace.tag}`;
  const [container, neighbour] = [`${root}/container`, `${root}/neighbour`];
  for (const path of [container, neighbour]) mkdirSync(findCgroupDirectory("/") + path, { recursive: true });
  workspace.onClose(() => removeCgroup(root));
  const cgroupRoot = findCgroupDirectory("/");
  const enforcing = must(openProgramSet({ object: embeddedPrograms(), directory, cgroupRoot }));
  workspace.onClose(enforcing.close);
  const cgroupId = readCgroupId(container);
  must(must(openRuleMaps(enforcing)).putContainer(cgroupId, 2, new Set()));
  const programs = must(openProgramSet({ object: embeddedProcessPrograms(), directory, cgroupRoot }));
  workspace.onClose(() => {
    for (const name of processPrograms) programs.detach(name);
    programs.close();
  });
  for (const name of processPrograms) must(programs.attach(name));
  return { directory, container, neighbour, root, cgroupId, programs };
}
