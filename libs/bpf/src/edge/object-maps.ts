// SPDX-License-Identifier: Apache-2.0

import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describeError, err, ok, type Result } from "@rthooks/result";
import { renderBpfError } from "../core/bpf-error.ts";
import type { MapDefinition } from "../core/map-definitions.ts";
import { findMismatch } from "../core/map-spec.ts";
import type { BpfMap } from "./bpf-map.ts";
import type { Bpf } from "./open-bpf.ts";

/**
 * Opens what is pinned in the directory, creates and pins the rest. A pinned map of another layout, of another version of
 * the object, is replaced by an empty one; programs that use it go on with it. By name; the error is one line.
 */
export function openObjectMaps(
  bpf: Bpf,
  definitions: readonly MapDefinition[],
  directory: string,
): Result<ReadonlyMap<string, BpfMap>, string> {
  const maps = new Map<string, BpfMap>();
  for (const definition of definitions) {
    const map = openOne(bpf, definition, join(directory, definition.spec.name));
    if (!map.ok) {
      for (const opened of maps.values()) opened.close();
      return map;
    }
    maps.set(definition.spec.name, map.value);
  }
  return ok(maps);
}

function openOne(bpf: Bpf, { spec, isPinned }: MapDefinition, path: string): Result<BpfMap, string> {
  const pinned = isPinned ? bpf.openPinned(path) : ok(undefined);
  if (!pinned.ok) return err(renderBpfError(pinned.error));
  if (pinned.value !== undefined) {
    if (findMismatch(pinned.value.info, spec) === undefined) return ok(pinned.value);
    pinned.value.close();
  }
  const created = bpf.createMap(spec);
  if (!created.ok) return err(renderBpfError(created.error));
  const done = isPinned ? pin(created.value, path) : ok(undefined);
  if (done.ok) return ok(created.value);
  created.value.close();
  return done;
}

/** Takes the place of what is pinned there. */
function pin(map: BpfMap, path: string): Result<void, string> {
  const unfinished = `${path}-unfinished`;
  try {
    rmSync(unfinished, { force: true });
    const done = map.pin(unfinished);
    if (!done.ok) return err(renderBpfError(done.error));
    renameSync(unfinished, path);
    return ok(undefined);
  } catch (error) {
    return err(`cannot pin ${path}: ${describeError(error)}`);
  }
}
