// SPDX-License-Identifier: Apache-2.0

import { rmSync } from "node:fs";
import { type Bpf, type BpfMap, findMismatch, type MapSpec, renderBpfError } from "@rthooks/bpf";
import { err, ok, type Result } from "@rthooks/result";

/**
 * The map that is pinned there, or one that is made and pinned. `inner`: the maps that a map of maps takes. One of another
 * layout is replaced, which is told. The error is one line for people.
 */
export function openPinnedMap(
  bpf: Bpf,
  path: string,
  spec: MapSpec,
  inner: MapSpec | undefined,
  onReplace: (path: string, why: string) => void,
): Result<BpfMap, string> {
  const pinned = bpf.openPinned(path);
  if (!pinned.ok) return err(renderBpfError(pinned.error));
  if (pinned.value !== undefined) {
    const mismatch = findMismatch(pinned.value.info, spec);
    if (mismatch === undefined) return ok(pinned.value);
    pinned.value.close();
    onReplace(path, mismatch);
    rmSync(path);
  }
  const made = inner === undefined ? bpf.createMap(spec) : bpf.createMapOfMaps(spec, inner);
  if (!made.ok) return err(renderBpfError(made.error));
  const done = made.value.pin(path);
  if (done.ok) return ok(made.value);
  made.value.close();
  return err(renderBpfError(done.error));
}
