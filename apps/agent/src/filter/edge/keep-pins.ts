// SPDX-License-Identifier: Apache-2.0
// Keeps the agent's maps pinned. Pins can be removed while an agent runs, and their file system can be mounted again; the
// maps stay alive through the agent's descriptors, and are pinned again.

import { join } from "node:path";
import type { Bpf, BpfMap } from "@rthooks/bpf";
import type { Logger } from "@rthooks/log";
import { ok, type Result } from "@rthooks/result";
import type { BpfDirectory } from "./claim-bpf-directory.ts";
import { keepPinned } from "./pinned-map.ts";

export interface PinKeeper {
  check(): void;
  /** One line; empty where the maps are pinned and have been so for ten minutes. */
  problem(): string;
}

/** A repair is shown this long, in milliseconds, because its cause is still to be found. */
const SHOWN_MS = 10 * 60_000;

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
      log.warn("pins were missing or replaced: the maps are pinned again", {
        directory: directory.path,
      });
    },
    problem() {
      if (failure !== "") return `the maps are not pinned: ${failure}`;
      if (repairedAtMs === undefined || Date.now() - repairedAtMs > SHOWN_MS) return "";
      const at = new Date(repairedAtMs).toISOString();
      return `pins of the maps in ${directory.path} were missing or replaced, and have been made again at ${at}: find out what removes them`;
    },
  };
}
