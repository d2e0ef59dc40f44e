// SPDX-License-Identifier: Apache-2.0

import { findMapType, type MapType, mapType, NAME_BYTES } from "./commands.ts";

export interface MapSpec {
  readonly type: MapType;
  /** The kernel gets the first 15 characters and accepts letters, digits, "_" and ".". */
  readonly name: string;
  /** Bytes. */
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** BPF_F_… of include/uapi/linux/bpf.h. */
  readonly flags?: number;
}

/** The kernel's description of an existing map. */
export interface MapInfo extends Required<Omit<MapSpec, "type">> {
  /** Undefined for a type that is not used here. */
  readonly type: MapType | undefined;
  readonly id: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Encodes union bpf_attr of MAP_CREATE, up to map_name. `innerFd`: a map that describes the inner maps of a map of maps. */
export function encodeMapCreate(spec: MapSpec, innerFd: number): Uint8Array {
  const bytes = new Uint8Array(48);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, mapType[spec.type], true);
  view.setUint32(4, spec.keySize, true);
  view.setUint32(8, spec.valueSize, true);
  view.setUint32(12, spec.maxEntries, true);
  view.setUint32(16, spec.flags ?? 0, true);
  view.setUint32(20, innerFd, true);
  bytes.set(encoder.encode(spec.name).subarray(0, NAME_BYTES - 1), 28);
  return bytes;
}

/** Size of struct bpf_map_info up to the name. */
export const MAP_INFO_BYTES = 40;

export function decodeMapInfo(bytes: Uint8Array): MapInfo {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const name = bytes.subarray(24, 24 + NAME_BYTES);
  const end = name.indexOf(0);
  return {
    type: findMapType(view.getUint32(0, true)),
    id: view.getUint32(4, true),
    keySize: view.getUint32(8, true),
    valueSize: view.getUint32(12, true),
    maxEntries: view.getUint32(16, true),
    flags: view.getUint32(20, true),
    name: decoder.decode(name.subarray(0, end === -1 ? NAME_BYTES : end)),
  };
}

/** The first difference from the wanted map, as a sentence; undefined if the maps are compatible. Names are ignored. */
export function findMismatch(found: MapInfo, wanted: MapSpec): string | undefined {
  for (const key of ["type", "keySize", "valueSize", "maxEntries"] as const) {
    if (found[key] !== wanted[key]) return `${key} is ${found[key] ?? "unknown"}, not ${wanted[key]}`;
  }
  const flags = wanted.flags ?? 0;
  return found.flags === flags ? undefined : `flags are ${found.flags}, not ${flags}`;
}
