// SPDX-License-Identifier: Apache-2.0
// The maps of rules and the programs of hooks, on their place in the bpf file system.

import { join } from "node:path";
import { openMapSet, openRuleMaps, type RuleMaps } from "@rthooks/bpf";
import { embeddedPrograms } from "@rthooks/bpf/embedded-programs";
import type { Logger } from "@rthooks/log";
import { ok, type Result } from "@rthooks/result";
import { type ProgramThread, startProgramThread } from "./program-thread.ts";

export interface Engine {
  readonly maps: RuleMaps;
  readonly hooks: ProgramThread;
  /** Pins again what is not pinned any more; true: there was something. The error is one line. */
  keep(): Promise<Result<boolean, string>>;
  /** What the maps take in the kernel, in bytes, by name. */
  memory(): ReadonlyMap<string, number>;
  /** Closes the descriptors; what is in force stays so. */
  close(): void;
}

/** Below the agent's directory for BPF: all programs share their maps there. */
export const toEnforcementDirectory = (bpfDirectory: string): string => join(bpfDirectory, "enforcement");

/** Adopts what an earlier agent left. The error is one line. */
export async function openEngine(
  directory: string,
  cgroupRoot: string,
  log: Logger,
): Promise<Result<Engine, string>> {
  const pinned = openMapSet({ object: embeddedPrograms(), directory });
  if (!pinned.ok) return pinned;
  const hooks = startProgramThread({
    ...{ place: { directory, cgroupRoot }, log },
    beforeStart: () => void pinned.value.keep(),
  });
  const close = (): void => {
    hooks.close();
    pinned.value.close();
  };
  const maps = openRuleMaps(pinned.value);
  if (!maps.ok) {
    close();
    return maps;
  }
  const opened = await hooks.open();
  if (!opened.ok) {
    close();
    return opened;
  }
  return ok({
    ...{ maps: maps.value, hooks, memory: pinned.value.memory, close },
    async keep() {
      const kept = pinned.value.keep();
      const hooksKept = kept.ok ? await hooks.keep() : kept;
      return kept.ok && hooksKept.ok ? ok(kept.value || hooksKept.value) : hooksKept;
    },
  });
}
