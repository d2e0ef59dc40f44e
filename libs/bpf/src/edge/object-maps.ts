// SPDX-License-Identifier: Apache-2.0

import { join } from "node:path";
import { err, ok, type Result } from "@rthooks/result";
import { renderBpfError } from "../core/bpf-error.ts";
import type { MapDefinition } from "../core/map-definitions.ts";
import { findMismatch } from "../core/map-spec.ts";
import type { BpfMap } from "./bpf-map.ts";
import type { Bpf } from "./open-bpf.ts";

/** Opens what is pinned in the directory, creates and pins the rest. By name; the error is one line. */
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
    const mismatch = findMismatch(pinned.value.info, spec);
    if (mismatch === undefined) return ok(pinned.value);
    pinned.value.close();
    return err(`${path} is another map: its ${mismatch}`);
  }
  const created = bpf.createMap(spec);
  if (!created.ok) return err(renderBpfError(created.error));
  if (!isPinned) return ok(created.value);
  const done = created.value.pin(path);
  if (done.ok) return ok(created.value);
  created.value.close();
  return err(renderBpfError(done.error));
}
