// SPDX-License-Identifier: Apache-2.0

import { ok, type Result } from "@rthooks/result";
import { createHeldPins } from "./held-pins.ts";
import { readMapMemory } from "./map-memory.ts";
import { openObjectMaps } from "./object-maps.ts";
import { toBpf } from "./open-bpf.ts";
import { openObject } from "./open-object.ts";
import type { ProgramSet, ProgramSetOptions } from "./program-set.ts";

/** The pinned maps of one object, for a thread that attaches none of its programs. */
interface MapSet extends Pick<ProgramSet, "map" | "keep" | "close"> {
  /** What they take in the kernel, in bytes, by name; a map is left out where that cannot be read. */
  memory(): ReadonlyMap<string, number>;
}

/** The error is one line. */
export function openMapSet({
  object: bytes,
  directory,
}: Pick<ProgramSetOptions, "object" | "directory">): Result<MapSet, string> {
  const opened = openObject(bytes, directory);
  if (!opened.ok) return opened;
  const { calls, object } = opened.value;
  const pinned = object.maps.filter(({ isPinned }) => isPinned);
  const maps = openObjectMaps(toBpf(calls), pinned, directory);
  if (!maps.ok) return maps;
  const pins = createHeldPins(calls, directory);
  return ok({
    map(name) {
      const map = maps.value.get(name);
      if (map === undefined) throw new RangeError(`the object does not pin a map ${name}`);
      return map;
    },
    memory: () =>
      new Map(
        [...maps.value].flatMap(([name, { fd }]) => {
          const bytes = readMapMemory(fd);
          return bytes === undefined ? [] : [[name, bytes] as const];
        }),
      ),
    keep: () => pins.keep([...maps.value].map(([name, { fd }]) => [name, fd] as const)),
    close() {
      for (const map of maps.value.values()) map.close();
    },
  });
}
