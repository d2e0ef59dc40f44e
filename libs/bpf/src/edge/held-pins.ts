// SPDX-License-Identifier: Apache-2.0
// Keeps what is pinned alive by descriptors of this process, so that a program stays attached when its pin or the whole file
// system is removed, and pins it again.

import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { renderBpfError } from "../core/bpf-error.ts";
import type { BpfCalls } from "./bpf-call.ts";
import { openPinnedObject, pinObject, readObjectId } from "./bpf-programs.ts";

export interface HeldPins {
  /** Takes over the descriptor of a link or a program. `pin`: its name in the directory. */
  hold(pin: string, fd: number): void;
  /** A descriptor by what is before the version in the name of its pin; it stays with the pins. */
  find(subject: string): number | undefined;
  /** Closes the descriptor, if there is one: without its pin the object ends. */
  release(pin: string): void;
  /**
   * Pins again what is missing or replaced, the maps first; true: there was something. `maps`: descriptors by the names of
   * their pins. The error is one line.
   */
  keep(maps: Iterable<readonly [pin: string, fd: number]>): Result<boolean, string>;
  close(): void;
}

/** In the place of a version in a pin's name, while it takes the place of another. */
export const UNFINISHED = "0".repeat(16);

export function createHeldPins(calls: BpfCalls, directory: string): HeldPins {
  const held = new Map<string, number>();

  const release = (pin: string): void => {
    const fd = held.get(pin);
    held.delete(pin);
    if (fd !== undefined) calls.close(fd);
  };

  const isInPlace = (pin: string, fd: number): boolean => {
    const there = openPinnedObject(calls, join(directory, pin));
    if (!there.ok) return false;
    const [one, other] = [readObjectId(calls, there.value), readObjectId(calls, fd)];
    calls.close(there.value);
    return one.ok && other.ok && one.value === other.value;
  };

  return {
    hold(pin, fd) {
      release(pin);
      held.set(pin, fd);
    },
    find: (subject) => [...held].find(([pin]) => pin.replace(/-[0-9a-f]{16}$/, "") === subject)?.[1],
    release,
    keep(maps) {
      try {
        mkdirSync(directory, { recursive: true, mode: 0o700 });
        let isRepaired = false;
        for (const [pin, fd] of [...maps, ...held]) {
          if (isInPlace(pin, fd)) continue;
          const draft = join(directory, `again-${UNFINISHED}`);
          rmSync(draft, { force: true });
          const pinned = pinObject(calls, fd, draft);
          if (!pinned.ok) return err(renderBpfError(pinned.error));
          renameSync(draft, join(directory, pin));
          isRepaired = true;
        }
        return ok(isRepaired);
      } catch (error) {
        return err(`cannot pin again in ${directory}: ${describeError(error)}`);
      }
    },
    close() {
      for (const fd of held.values()) calls.close(fd);
      held.clear();
    },
  };
}
