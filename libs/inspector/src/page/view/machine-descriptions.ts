// SPDX-License-Identifier: Apache-2.0
// What the machines say of their states and transitions, read when it is first needed.

import type { MachineDescription } from "../core/guards.ts";

export interface MachineDescriptions {
  /** Undefined while it is not read, or if there is none; `onRead` is called when it is. */
  of(machine: string): MachineDescription | undefined;
}

export function openMachineDescriptions(onRead: () => void): MachineDescriptions {
  const read = new Map<string, MachineDescription | undefined>();

  const load = async (machine: string): Promise<void> => {
    const response = await fetch(`/machines/${encodeURIComponent(machine)}.json`);
    if (!response.ok) return;
    // The cast: the program embeds the file, page-files.macro.ts writes it.
    read.set(machine, (await response.json()) as MachineDescription);
    onRead();
  };

  return {
    of(machine) {
      if (!read.has(machine)) {
        read.set(machine, undefined);
        // Without it guards and descriptions are not shown.
        load(machine).catch(() => {});
      }
      return read.get(machine);
    },
  };
}
