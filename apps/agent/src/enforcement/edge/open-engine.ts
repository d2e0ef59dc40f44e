// SPDX-License-Identifier: Apache-2.0
// The maps of rules and the programs of hooks, on their place in the bpf file system.

import { join } from "node:path";
import {
  type HookPrograms,
  openHookPrograms,
  openProgramSet,
  openRuleMaps,
  type RuleMaps,
} from "@rthooks/bpf";
import { embeddedPrograms } from "@rthooks/bpf/embedded-programs";
import { ok, type Result } from "@rthooks/result";

export interface Engine {
  readonly maps: RuleMaps;
  readonly hooks: HookPrograms;
  /** Pins again what is not pinned any more; true: there was something. The error is one line. */
  keep(): Result<boolean, string>;
  /** Closes the descriptors; what is in force stays so. */
  close(): void;
}

/** Below the agent's directory for BPF: all programs share their maps there. */
export const toEnforcementDirectory = (bpfDirectory: string): string => join(bpfDirectory, "enforcement");

/** Adopts what an earlier agent left. The error is one line. */
export function openEngine(directory: string, cgroupRoot: string): Result<Engine, string> {
  const enforce = openProgramSet({ object: embeddedPrograms(), directory, cgroupRoot });
  if (!enforce.ok) return enforce;
  const hooks = openHookPrograms({ enforce: enforce.value, directory, cgroupRoot });
  if (!hooks.ok) {
    enforce.value.close();
    return hooks;
  }
  const close = (): void => {
    hooks.value.close();
    enforce.value.close();
  };
  const maps = openRuleMaps(enforce.value);
  if (!maps.ok) {
    close();
    return maps;
  }
  return ok({
    maps: maps.value,
    hooks: hooks.value,
    keep() {
      const kept = enforce.value.keep();
      const hooksKept = kept.ok ? hooks.value.keep() : kept;
      return kept.ok && hooksKept.ok ? ok(kept.value || hooksKept.value) : hooksKept;
    },
    close,
  });
}
