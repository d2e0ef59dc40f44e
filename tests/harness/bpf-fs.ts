// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from "node:fs";
import { type MapEntry, readMapOfMaps, toNumber } from "./map-entries.ts";
import { findTool } from "./programs.ts";
import type { Workspace } from "./workspace.ts";

function run(...argv: readonly string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...argv]);
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
  return stdout.toString();
}

/** A bpf file system of the tests' own; everything that is pinned there goes with it. */
export function mountBpfFs(workspace: Workspace): string {
  const path = workspace.path("bpf");
  mkdirSync(path);
  run(findTool("mount"), "-t", "bpf", "bpf", path);
  workspace.onClose(() => run(findTool("umount"), path));
  return path;
}

const dump = (...words: readonly string[]): readonly MapEntry[] =>
  JSON.parse(run(findTool("bpftool"), "--json", "map", "dump", ...words));

/** A map that goes between the look at the outer one and its own is no answer: then all is looked at anew. */
function dumpMapOfMaps(path: string, tries = 10): ReadonlyMap<bigint, ReadonlySet<bigint>> {
  const outer = dump("pinned", path);
  try {
    return readMapOfMaps(outer, (id) => dump("id", id));
  } catch (error) {
    if (tries === 1) throw error;
    return dumpMapOfMaps(path, tries - 1);
  }
}

/** Policy ids with their cgroup ids, read from the kernel by bpftool. */
export const dumpPolicyFilter = (directory: string): ReadonlyMap<number, ReadonlySet<bigint>> =>
  new Map(
    [...dumpMapOfMaps(`${directory}/policy_filter_maps`)].map(([policyId, ids]) => [Number(policyId), ids]),
  );

/** Cgroup ids with the ids of their policies. */
export const dumpCgroupPolicies = (directory: string): ReadonlyMap<bigint, ReadonlySet<bigint>> =>
  dumpMapOfMaps(`${directory}/policy_filter_cgroup_maps`);

/** Puts a cgroup into the map of a filter, as another program, or an agent of another version, does. */
export function addToPolicyFilter(directory: string, filterId: number, cgroupId: bigint): void {
  const inner = dump("pinned", `${directory}/policy_filter_maps`).find(
    ({ key }) => toNumber(key) === BigInt(filterId),
  );
  if (inner === undefined) throw new Error(`there is no filter ${filterId}`);
  const key = [...new Uint8Array(new BigUint64Array([cgroupId]).buffer)].map(String);
  run(findTool("bpftool"), "map", "update", "id", String(toNumber(inner.value)), "key", ...key, "value", "0");
}
