// SPDX-License-Identifier: Apache-2.0

import { err, ok, type Result } from "@rthooks/result";
import { type BpfError, renderBpfError } from "../core/bpf-error.ts";
import type { MapSpec } from "../core/map-spec.ts";
import { openBpf } from "./open-bpf.ts";

const inner: MapSpec = { type: "hash", name: "no_rules", keySize: 4, valueSize: 4, maxEntries: 1 };
const outer: MapSpec = { type: "hash-of-maps", name: "wait", keySize: 4, valueSize: 4, maxEntries: 1 };

/**
 * Opens a way to wait, some milliseconds, until no program is at work that began before the call: the kernel does so after
 * each change of a map of maps (kernel/bpf/syscall.c, maybe_wait_bpf_programs).
 */
export function openProgramWait(): Result<() => Result<void, BpfError>, string> {
  const bpf = openBpf();
  if (!bpf.ok) return bpf;
  const map = bpf.value.createMap(inner);
  const ofMaps = map.ok ? bpf.value.createMapOfMaps(outer, inner) : map;
  if (!map.ok || !ofMaps.ok) return err(ofMaps.ok ? "" : renderBpfError(ofMaps.error));
  const fd = new Uint8Array(Int32Array.of(map.value.fd).buffer);
  return ok(() => {
    const done = ofMaps.value.update(new Uint8Array(4), fd);
    return done.ok ? ok(undefined) : done;
  });
}
