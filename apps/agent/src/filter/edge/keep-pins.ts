// SPDX-License-Identifier: Apache-2.0
// Whether the maps that this agent has are those that others find: pins can be removed, and the file system that they are on
// can be mounted again while an agent runs. The maps live on through its descriptors, and are pinned again.

import { join } from "node:path";
import type { Bpf, BpfMap } from "@rthooks/bpf";
import type { Logger } from "@rthooks/log";
import { ok, type Result } from "@rthooks/result";
import type { BpfDirectory } from "./claim-bpf-directory.ts";
import { keepPinned } from "./pinned-map.ts";

export interface PinKeeper {
  check(): void;
  /** One line for people; empty where all is well, and has been for a while. */
  problem(): string;
}

/** For how long a repair stays in health, in milliseconds: its cause is still to be found. */
const TOLD_MS = 10 * 60_000;

/** `maps`: by the names of their pins. */
export function createPinKeeper(
  bpf: Bpf,
  directory: BpfDirectory,
  maps: Readonly<Record<string, BpfMap>>,
  log: Logger,
): PinKeeper {
  let failure = "";
  let repairedAtMs: number | undefined;

  /** True: something was pinned again. */
  const keepAll = (): Result<boolean, string> => {
    const kept = directory.keep();
    if (!kept.ok) return kept;
    let isRepaired = false;
    for (const [name, map] of Object.entries(maps)) {
      const pinned = keepPinned(bpf, map, join(directory.path, name));
      if (!pinned.ok) return pinned;
      isRepaired ||= pinned.value;
    }
    return ok(isRepaired);
  };

  return {
    check() {
      const done = keepAll();
      if (!done.ok) {
        if (done.error !== failure) log.error("the maps are not pinned", { err: done.error });
        failure = done.error;
        return;
      }
      failure = "";
      if (!done.value) return;
      repairedAtMs = Date.now();
      log.warn("pins of the maps were gone or another's: the maps are pinned again", {
        directory: directory.path,
      });
    },
    problem() {
      if (failure !== "") return `the maps are not pinned: ${failure}`;
      if (repairedAtMs === undefined || Date.now() - repairedAtMs > TOLD_MS) return "";
      const at = new Date(repairedAtMs).toISOString();
      return `pins of the maps below ${directory.path} were gone or another's, and have been made again at ${at}: find out what removes them`;
    },
  };
}
