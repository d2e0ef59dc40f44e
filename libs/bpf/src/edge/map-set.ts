// SPDX-License-Identifier: Apache-2.0

import { mkdirSync } from "node:fs";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { parseBpfObject } from "../core/bpf-object.ts";
import { openBpfCalls } from "./bpf-call.ts";
import { createHeldPins } from "./held-pins.ts";
import { readMapMemory } from "./map-memory.ts";
import { openObjectMaps } from "./object-maps.ts";
import { toBpf } from "./open-bpf.ts";
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
  const calls = openBpfCalls();
  if (!calls.ok) return calls;
  const object = parseBpfObject(bytes);
  if (!object.ok) return err(`the object of BPF programs: ${object.error}`);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    return err(`cannot create ${directory}: ${describeError(error)}`);
  }
  const pinned = object.value.maps.filter(({ isPinned }) => isPinned);
  const maps = openObjectMaps(toBpf(calls.value), pinned, directory);
  if (!maps.ok) return maps;
  const pins = createHeldPins(calls.value, directory);
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
