// SPDX-License-Identifier: Apache-2.0

import { readlinkSync } from "node:fs";
import { err, ok, type Result } from "@rthooks/result";
import type { BpfError } from "../core/bpf-error.ts";
import { decodeMapInfo, encodeMapCreate, MAP_INFO_BYTES, type MapSpec } from "../core/map-spec.ts";
import { encodeInfo } from "../core/program-attr.ts";
import { type BpfCalls, openBpfCalls } from "./bpf-call.ts";
import { type BpfMap, openBpfMap } from "./bpf-map.ts";
import { openPinnedObject } from "./bpf-programs.ts";

export interface Bpf {
  createMap(spec: MapSpec): Result<BpfMap, BpfError>;
  /** `inner` describes the inner maps. Keys have 4 or 8 bytes; values are map descriptors. */
  createMapOfMaps(spec: MapSpec, inner: MapSpec): Result<BpfMap, BpfError>;
  /** Undefined if the path does not exist. A pinned program or link is an error. */
  openPinned(path: string): Result<BpfMap | undefined, BpfError>;
  /** A map by a descriptor of this process, opened by another thread. Closing the map closes the descriptor. */
  openDescriptor(fd: number): Result<BpfMap, BpfError>;
  /** Whether a map of maps accepts such an inner map. Changes nothing. */
  takesInner(outer: BpfMap, inner: MapSpec): Result<boolean, BpfError>;
  /** A map by the id that a lookup in a map of maps returns; undefined if the map no longer exists. */
  openById(id: number): Result<BpfMap | undefined, BpfError>;
}

/** The error is one line: FFI is not available in this process. */
export function openBpf(): Result<Bpf, string> {
  const calls = openBpfCalls();
  return calls.ok ? ok(toBpf(calls.value)) : calls;
}

export function toBpf(calls: BpfCalls): Bpf {
  const open = (fd: number, subject: string): Result<BpfMap, BpfError> => {
    const info = new Uint8Array(MAP_INFO_BYTES);
    const attr = encodeInfo(fd, info.length, calls.pointerTo(info));
    const done = calls.bpf("OBJ_GET_INFO_BY_FD", subject, attr);
    if (done.ok) return ok(openBpfMap(calls, fd, decodeMapInfo(info)));
    calls.close(fd);
    return done;
  };

  const create = (spec: MapSpec, innerFd: number): Result<BpfMap, BpfError> => {
    const fd = calls.bpf("MAP_CREATE", spec.name, encodeMapCreate(spec, innerFd));
    return fd.ok ? open(fd.value, spec.name) : fd;
  };

  const openIfThere = (
    fd: Result<number, BpfError>,
    subject: string,
  ): Result<BpfMap | undefined, BpfError> => {
    if (fd.ok) return open(fd.value, subject);
    return fd.error.code === "ENOENT" ? ok(undefined) : fd;
  };

  return {
    createMap: (spec) => create(spec, 0),
    createMapOfMaps(spec, inner) {
      const example = create(inner, 0);
      if (!example.ok) return example;
      const made = create(spec, example.value.fd);
      example.value.close();
      return made;
    },
    openPinned(path) {
      const fd = openPinnedObject(calls, path);
      const kind = fd.ok ? readKind(fd.value) : MAP_KIND;
      if (!fd.ok || kind === MAP_KIND) return openIfThere(fd, path);
      calls.close(fd.value);
      return err({
        ...{ command: "OBJ_GET", subject: path, code: "EINVAL", hint: "" },
        message: `it is not a map but another object (${kind})`,
      });
    },
    openDescriptor: (fd) => open(fd, `descriptor ${fd}`),
    takesInner(outer, inner) {
      const absent = findAbsentKey(outer);
      if (!absent.ok) return absent;
      const example = create(inner, 0);
      if (!example.ok) return example;
      // The kernel compares the maps before it searches the key (kernel/bpf/hashtab.c, bpf_fd_htab_map_update_elem).
      const refused = outer.update(
        absent.value,
        new Uint8Array(new Uint32Array([example.value.fd]).buffer),
        "exist",
      );
      example.value.close();
      if (refused.ok || refused.error.code === "ENOENT") return ok(true);
      return refused.error.code === "EINVAL" ? ok(false) : refused;
    },
    openById(id) {
      const attr = new Uint8Array(12);
      new DataView(attr.buffer).setUint32(0, id, true);
      return openIfThere(calls.bpf("MAP_GET_FD_BY_ID", `id ${id}`, attr), `id ${id}`);
    },
  };
}

const MAP_KIND = "bpf-map";

/** The kind of BPF object behind a descriptor of OBJ_GET: its link is "anon_inode:bpf-map" or "anon_inode:bpf-prog". */
function readKind(fd: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).replace("anon_inode:", "");
  } catch {
    // Without /proc a map is assumed.
    return MAP_KIND;
  }
}

function findAbsentKey(map: BpfMap): Result<Uint8Array, BpfError> {
  const key = new Uint8Array(map.info.keySize);
  for (let number = 0; ; number++) {
    new DataView(key.buffer).setUint32(0, number, true);
    const found = map.lookup(key);
    if (!found.ok) return found;
    if (found.value === undefined) return ok(key);
  }
}
