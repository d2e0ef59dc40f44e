// SPDX-License-Identifier: Apache-2.0

import type { NodeCapabilities } from "@rthooks/policy";
import { err, type Result } from "@rthooks/result";
import { checkLsmHook } from "../core/lsm-arguments.ts";
import { findLsmFacets, lsmHooks } from "../core/lsm-hooks.ts";
import { readKernelBtf } from "./kernel-btf.ts";
import { type ProgramCapabilities, probePrograms } from "./probe-programs.ts";

/** Attaches programs that do nothing, and detaches them. `cgroupRoot`: directory of the root of the v2 hierarchy. */
export function probeNode(cgroupRoot: string): NodeCapabilities {
  const probed = probePrograms(cgroupRoot);
  /** With the name of the capability that is missing. */
  const toAbility = (...names: readonly (keyof ProgramCapabilities)[]): Result<void, string> => {
    const missing = names.find((name) => !probed[name].ok);
    const found = probed[missing ?? names[0] ?? "bpf_lsm"];
    return found.ok || missing === undefined ? found : err(`${found.error} (${missing})`);
  };
  const lsm = toAbility("bpf_lsm");
  return {
    lsm,
    lsmHooks: lsm.ok ? findLsmHooks() : new Map(),
    cgroupProgram: toAbility("bpf_cgroup_connect", "bpf_cgroup_bind"),
    rawTracepoint: toAbility("bpf_raw_tracepoint"),
    tracepoint: toAbility("bpf_tracepoint"),
    kprobe: toAbility("bpf_kprobe"),
  };
}

/** The hooks whose arguments are on this kernel what the programs read. */
function findLsmHooks(): NodeCapabilities["lsmHooks"] {
  const kernel = readKernelBtf();
  if (!kernel.ok) return new Map();
  const there = [...lsmHooks.values()].filter((hook) => checkLsmHook(kernel.value, hook).ok);
  return new Map(there.map((hook) => [hook.name, findLsmFacets(hook)]));
}
